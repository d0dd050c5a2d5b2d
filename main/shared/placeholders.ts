// What policy "keyPrefix" and "s3Tags" may contain in place of a value of each recording: `<queue>` for example.

/** Amazon Connect allows letters, digits, "-" and "_" in the names of contact attributes. */
export const ATTRIBUTE_NAME = '[A-Za-z0-9_-]{1,100}';
export const PLACEHOLDER = `<(?:alias|instanceId|queue|channel|attribute:${ATTRIBUTE_NAME})>`;

/** @param valueOf gets the text between the brackets */
export function fill(template: string, valueOf: (placeholder: string) => string): string {
  return template.replaceAll(new RegExp(PLACEHOLDER, 'g'), (found) => valueOf(found.slice(1, -1)));
}

export function placeholdersIn(template: string): string[] {
  return template.match(new RegExp(PLACEHOLDER, 'g'))?.map((found) => found.slice(1, -1)) ?? [];
}

/** The name in `attribute:NAME`; null: it is no attribute. */
export function attributeIn(placeholder: string): string | null {
  return placeholder.startsWith('attribute:') ? placeholder.slice('attribute:'.length) : null;
}
