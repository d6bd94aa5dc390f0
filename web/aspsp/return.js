// The answer travels in a form, which only a script can send by itself.
const form = document.getElementById("return-form");
window.setTimeout(() => form.submit(), Number(form.dataset.seconds) * 1000);
