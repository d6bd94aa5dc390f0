//! The few DER forms that QC statements need (ITU-T X.690).

/// A tag, a length and a content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(8));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE.
pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// UTF8String.
pub(crate) fn utf8(text: &str) -> Vec<u8> {
    element(0x0c, text.as_bytes())
}

/// OBJECT IDENTIFIER of two arcs or more.
pub(crate) fn oid(arcs: &[u64]) -> Vec<u8> {
    let mut content = Vec::new();
    if let [first, second, rest @ ..] = arcs {
        push_arc(&mut content, first * 40 + second);
        for arc in rest {
            push_arc(&mut content, *arc);
        }
    }
    element(0x06, &content)
}

fn push_arc(out: &mut Vec<u8>, arc: u64) {
    let mut groups = Vec::new();
    let mut rest = arc;
    loop {
        groups.push(u8::try_from(rest & 0x7f).unwrap_or_default());
        rest >>= 7;
        if rest == 0 {
            break;
        }
    }
    for (index, group) in groups.iter().enumerate().rev() {
        out.push(if index == 0 { *group } else { *group | 0x80 });
    }
}
