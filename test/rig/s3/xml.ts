// The little XML that S3 speaks: answers written, and the list of parts read, strictly.
import { mistake } from './errors.ts';

export type XmlNode = readonly [name: string, content: string | number | boolean | readonly XmlNode[]];

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A document with S3's namespace; `<Error>` has none. */
export function xmlDocument(root: string, children: readonly XmlNode[]): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `${XML_DECLARATION}<${root}${namespace}>${children.map(element).join('')}</${root}>`;
}

export function element([name, content]: XmlNode): string {
  const inner = typeof content === 'object' ? content.map(element).join('') : escape(String(content));
  return `<${name}>${inner}</${name}>`;
}

export interface XmlElement {
  name: string;
  /** Between the tags when there is no element there. */
  text: string;
  children: XmlElement[];
}

/** @throws {S3Error} MalformedXML for anything that is not plain elements and text */
export function parseXml(text: string): XmlElement {
  const top: XmlElement = { name: '', text: '', children: [] };
  const open = [top];
  const token =
    /<\?xml[^>]*\?>|<\/([A-Za-z0-9]+)\s*>|<([A-Za-z0-9]+)((?:\s+xmlns="[^"]*")?)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    end = token.lastIndex;
    const [, closing, opening, , empty, words] = found;
    const current = open.at(-1) ?? top;
    if (words !== undefined) current.text += unescape(words);
    else if (closing !== undefined) {
      if (open.length === 1 || current.name !== closing) throw malformedXml();
      open.pop();
    } else if (opening !== undefined) {
      const child: XmlElement = { name: opening, text: '', children: [] };
      current.children.push(child);
      if (empty !== '/') open.push(child);
    }
  }
  const [root] = top.children;
  if (end !== text.length || open.length !== 1 || root === undefined || top.children.length !== 1) {
    throw malformedXml();
  }
  return root;
}

export function malformedXml(): Error {
  return mistake(
    400,
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => {
    const name = Object.keys(ENTITIES).find((entity) => ENTITIES[entity] === character) ?? '';
    return `&${name};`;
  });
}

function unescape(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-fA-F]+)|#(\d+)|([a-z]+));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return ENTITIES[name ?? ''] ?? whole;
    },
  );
}
