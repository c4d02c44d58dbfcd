/** Person names (PS3.5 6.2.1): component groups by "=", components by "^". */
export interface PersonName {
  alphabetic: string;
  ideographic: string;
  phonetic: string;
}

/** "DOE^JANE^^DR" as "DOE, JANE, DR"; the ideographic form in its own order, without commas. */
export function readName(text: string): PersonName {
  const [alphabetic = "", ideographic = "", phonetic = ""] = text.split("=");
  return {
    alphabetic: joined(alphabetic),
    ideographic: ideographic.split("^").filter(Boolean).join(" "),
    phonetic: phonetic.split("^").filter(Boolean).join(" "),
  };
}

/** One line for a person to read. */
export function shownName(text: string): string {
  const name = readName(text);
  const [first = "", ...more] = [name.alphabetic, name.ideographic].filter(Boolean);
  return more.length ? `${first} (${more.join(", ")})` : first || name.phonetic;
}

function joined(group: string): string {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group
    .split("^")
    .map((each) => each.trim());
  const rest = [given, middle].filter(Boolean).join(" ");
  return [family, rest, prefix, suffix].filter(Boolean).join(", ");
}
