// The bank's answer is in the fragment, which browsers never send: hand it to the server.
const fragment = window.location.hash.slice(1);
window.history.replaceState(null, "", window.location.pathname + window.location.search);
document.getElementById("fragment").value = fragment;
document.getElementById("fragment-form").submit();
