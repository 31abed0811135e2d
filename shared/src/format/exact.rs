//! Integers and money digit for digit: text in, text out, never through a float.

/// An integer with thousands separators, however many digits it has; `None` when the text is not one.
pub fn grouped(text: &str) -> Option<String> {
    let (sign, digits) = split_sign(text)?;
    is_digits(digits).then(|| format!("{sign}{}", separated(without_leading_zeros(digits))))
}

/// An integer of micro-USDC as USDC with all six decimals: `1234000000` is `1,234.000000 USDC`. `None` when
/// the text is not an integer.
pub fn micro_usdc(text: &str) -> Option<String> {
    let (sign, digits) = split_sign(text)?;
    if !is_digits(digits) {
        return None;
    }
    let (whole, micros) = digits.split_at(digits.len().saturating_sub(6));
    let whole = separated(without_leading_zeros(if whole.is_empty() { "0" } else { whole }));
    Some(format!("{sign}{whole}.{micros:0>6} USDC"))
}

/// A decimal number with thousands separators and at least `least` decimals; more only where they are not zero.
pub(super) fn decimal(text: &str, least: usize) -> Option<String> {
    let (sign, digits) = split_sign(text)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !is_digits(whole) || !(fraction.is_empty() || is_digits(fraction)) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    Some(format!("{sign}{}.{fraction:0<least$}", separated(without_leading_zeros(whole))))
}

fn split_sign(text: &str) -> Option<(&'static str, &str)> {
    match text.strip_prefix('-') {
        Some(rest) => Some(("−", rest)),
        None => Some(("", text.strip_prefix('+').unwrap_or(text))),
    }
    .filter(|(_, digits)| !digits.is_empty())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_leading_zeros(digits: &str) -> &str {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0" } else { trimmed }
}

fn separated(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
