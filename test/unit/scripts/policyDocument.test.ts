// What is made from the policy keys must not be older than they are, and must be what its readers expect.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyKeyNames, policyKeys } from '../../../main/policy/keys.ts';
import type { KeyInfo } from '../../../main/policy/keyInfo.ts';
import type { PolicyKey } from '../../../main/policy/keys.ts';
import { adml, admx } from '../../../scripts/admx.ts';
import { generatedFiles, policySchema } from '../../../scripts/generatedFiles.ts';

it.each(Object.entries(generatedFiles()))('%s is what `npx tsx scripts/make-docs.ts` makes', (name, text) => {
  expect(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')).toBe(text);
});

type Node = Readonly<Record<string, unknown>>;
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  isArray: (_, __, ___, isAttribute) => !isAttribute,
});
const parse = (text: string): Node => {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what replaces it is no package of ours
  expect(XMLValidator.validate(text)).toBe(true);
  return parser.parse(text) as Node;
};
/** All nodes at a path. */
const at = (node: Node, ...path: string[]): Node[] =>
  path.reduce<Node[]>((nodes, name) => nodes.flatMap((one) => (one[name] ?? []) as Node[]), [node]);
const attribute = (nodes: readonly Node[], name: string): string[] =>
  nodes.map((one) => String(one[`@${name}`]));

describe('the administrative template', () => {
  const template = at(parse(admx()), 'policyDefinitions')[0] as Node;
  const words = at(parse(adml()), 'policyDefinitionResources')[0] as Node;
  const policies = at(template, 'policies', 'policy');
  const strings = attribute(at(words, 'resources', 'stringTable', 'string'), 'id');
  const presentations = at(words, 'resources', 'presentationTable', 'presentation');

  it('has the parts of a template, in their order', () => {
    const parts = (node: Node): string[] => Object.keys(node).filter((name) => !name.startsWith('@'));
    expect(parts(template)).toEqual([
      'policyNamespaces',
      'resources',
      'supportedOn',
      'categories',
      'policies',
    ]);
    expect(parts(words)).toEqual(['displayName', 'description', 'resources']);
    expect(attribute([template, words], 'schemaVersion')).toEqual(['1.0', '1.0']);
    expect(attribute(at(template, 'policyNamespaces', 'target'), 'prefix')).toEqual(['sightline']);
  });

  it('has every key that Windows has', () => {
    expect(attribute(policies, 'name')).toEqual(policyKeyNames.filter((name) => name !== 'display'));
    expect(new Set(attribute(policies, 'key'))).toEqual(new Set(['SOFTWARE\\Policies\\Sightline']));
  });

  it('refers to nothing that is not there', () => {
    const used = (text: string, kind: string): string[] =>
      [...text.matchAll(new RegExp(`\\$\\(${kind}\\.(\\w+)\\)`, 'g'))].map((match) => match[1] ?? '');
    expect(new Set(used(admx(), 'string'))).toEqual(new Set(strings));
    expect(new Set(used(admx(), 'presentation'))).toEqual(new Set(attribute(presentations, 'id')));
    const categories = attribute(at(template, 'categories', 'category'), 'name');
    expect(categories).toEqual(
      expect.arrayContaining(attribute(at(template, 'policies', 'policy', 'parentCategory'), 'ref')),
    );
    const definitions = attribute(at(template, 'supportedOn', 'definitions', 'definition'), 'name');
    expect(definitions).toEqual(
      expect.arrayContaining(attribute(at(template, 'policies', 'policy', 'supportedOn'), 'ref')),
    );
  });

  it('names nothing twice', () => {
    expect(new Set(strings).size).toBe(strings.length);
    expect(new Set(attribute(policies, 'name')).size).toBe(policies.length);
  });

  it.each(policies.map((policy) => [attribute([policy], 'name')[0] as PolicyKey, policy] as const))(
    'lets %s be set as the registry is read',
    (name, policy) => {
      const info: KeyInfo<unknown> = policyKeys[name];
      const order = Object.keys(policy).filter((one) => !one.startsWith('@'));
      if (info.form === 'boolean') {
        expect(order).toEqual(['parentCategory', 'supportedOn', 'enabledValue', 'disabledValue']);
        expect(attribute([policy], 'valueName')).toEqual([name]);
        expect(attribute(at(policy, 'enabledValue', 'decimal'), 'value')).toEqual(['1']);
        expect(attribute(at(policy, 'disabledValue', 'decimal'), 'value')).toEqual(['0']);
        return;
      }
      expect(order).toEqual(['parentCategory', 'supportedOn', 'elements']);
      const [elements = {}] = at(policy, 'elements');
      const [kind = ''] = Object.keys(elements);
      const [element = {}] = at(elements, kind);
      const presentation = presentations.find((one) => one['@id'] === name) ?? {};
      const [control = ''] = Object.keys(presentation).filter((one) => one !== '@id');
      expect(attribute(at(presentation, control), 'refId')).toEqual([name]);
      expect([kind, control]).toEqual(
        {
          integer: ['decimal', 'decimalTextBox'],
          list: ['list', 'listBox'],
          text: 'item' in element ? ['enum', 'dropdownList'] : ['text', 'textBox'],
        }[info.form],
      );
      if (kind === 'list')
        expect(attribute([element], 'key')).toEqual([`SOFTWARE\\Policies\\Sightline\\${name}`]);
      else expect(attribute([element], 'valueName')).toEqual([name]);
      for (const limit of ['minValue', 'maxValue']) {
        if (kind === 'decimal') expect(() => info.schema.parse(Number(element[`@${limit}`]))).not.toThrow();
      }
      for (const item of at(element, 'item', 'value'))
        expect(() => info.schema.parse((item['string'] as string[])[0])).not.toThrow();
    },
  );
});

describe('the JSON schema', () => {
  const schema = JSON.parse(policySchema()) as {
    properties: Record<string, Node>;
    additionalProperties: boolean;
  };

  it('has every key, with its words and its type, and no other', () => {
    expect(Object.keys(schema.properties)).toEqual(policyKeyNames);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.fps).toMatchObject({ type: 'integer', minimum: 1, maximum: 30 });
    expect(schema.properties.allowedDomains).toMatchObject({
      type: 'array',
      maxItems: 500,
      items: { type: 'string', maxLength: 257 },
    });
  });
});
