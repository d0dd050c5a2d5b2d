// The little XML that S3 speaks: answers written, and the list of parts read, strictly.
import { XMLParser } from 'fast-xml-parser';
import { mistake } from './errors.ts';

export type XmlNode = readonly [name: string, content: string | number | boolean | readonly XmlNode[]];

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A document with S3's namespace; `<Error>` has none. */
export function xmlDocument(root: string, children: readonly XmlNode[]): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `${XML_DECLARATION}<${root}${namespace}>${children.map(element).join('')}</${root}>`;
}

function element([name, content]: XmlNode): string {
  const inner = typeof content === 'object' ? content.map(element).join('') : escape(String(content));
  return `<${name}>${inner}</${name}>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'Part' });

/** The elements of each `<Part>` of a `<CompleteMultipartUpload>`. @throws {S3Error} MalformedXML */
export function readParts(text: string): Readonly<Record<string, unknown>>[] {
  const { CompleteMultipartUpload: list } = parser.parse(text) as Record<string, unknown>;
  const { Part: parts } = typeof list === 'object' && list !== null ? (list as Record<string, unknown>) : {};
  if (!Array.isArray(parts)) throw malformedXml();
  return parts as Record<string, unknown>[];
}

export function malformedXml(): Error {
  return mistake(
    400,
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}
