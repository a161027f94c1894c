// The parts of a text, cut where a break stands outside of quotes and brackets; null for a text
// in which one of those is still open.
export function words(text, isBreak = /\s/) {
  const found = [""];
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === "\\") found.push(found.pop() + sign + (text[++at] ?? ""));
    else if (isBreak.test(sign) && !quoted && depth === 0) found.push("");
    else {
      if (sign === '"') quoted = !quoted;
      else if (!quoted) depth += "([{".includes(sign) - ")]}".includes(sign);
      found.push(found.pop() + sign);
    }
  }
  return quoted || depth ? null : found.filter(Boolean);
}
