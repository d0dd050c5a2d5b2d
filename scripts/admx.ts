// The administrative template for group policy (ADMX) and its English words (ADML), made from the policy keys. After
// Microsoft's "Group Policy ADMX Syntax Reference Guide"; elements stand in the order that its schema demands.

import { REGISTRY_KEY } from '../main/policy/registry.ts';
import type { PolicyKey } from '../main/policy/keys.ts';
import type { PolicyFact } from './policyFacts.ts';
import { appliedWords, policyFacts } from './policyFacts.ts';

const NAMESPACE = 'Sightline.Policies.Sightline';
const SCHEMA = 'http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions';
const MADE_BY = '<!-- Made by `npx tsx scripts/make-docs.ts` from main/policy/keys.ts; change it there. -->';

const categories: readonly { id: string; title: string; has: (name: PolicyKey) => boolean }[] = [
  { id: 'Access', title: 'Who may connect', has: (name) => /^(port|allow|auth)/.test(name) },
  {
    id: 'Delivery',
    title: 'Where recordings and events go',
    has: (name) => /^(sink|s3|aws|broker|upload|keyPrefix|statusEvents|event)/.test(name),
  },
  {
    id: 'Storage',
    title: "Storage on the agent's disk",
    has: (name) => /^(dataDir|spool|keepPublished)/.test(name),
  },
  {
    id: 'Capture',
    title: 'What is recorded',
    has: (name) => /^(fps|maxMonitors|display|encoder|ffmpeg|grace|suspend|resume|pauseOnLock)/.test(name),
  },
  {
    id: 'Agent',
    title: 'What the agent sees and may do',
    has: (name) => /^(agent|indicator|autostart)/.test(name),
  },
  { id: 'Support', title: 'Checks and support', has: () => true },
];

/** Keys that mean nothing on Windows. */
const NOT_ON_WINDOWS: readonly PolicyKey[] = ['display'];
const facts = policyFacts.filter(({ name }) => !NOT_ON_WINDOWS.includes(name));

export function admx(): string {
  const lines = categories.map(
    ({ id }) =>
      `    <category name="${id}" displayName="$(string.Category_${id})">\n      <parentCategory ref="Sightline" />\n    </category>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
${MADE_BY}
<policyDefinitions xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" revision="1.0" schemaVersion="1.0" xmlns="${SCHEMA}">
  <policyNamespaces>
    <target prefix="sightline" namespace="${NAMESPACE}" />
  </policyNamespaces>
  <resources minRequiredRevision="1.0" />
  <supportedOn>
    <definitions>
      <definition name="Windows10" displayName="$(string.Supported_Windows10)" />
    </definitions>
  </supportedOn>
  <categories>
    <category name="Sightline" displayName="$(string.Category_Sightline)" />
${lines.join('\n')}
  </categories>
  <policies>
${facts.map(policyOf).join('\n')}
  </policies>
</policyDefinitions>
`;
}

export function adml(): string {
  const strings = [
    ['Category_Sightline', 'Sightline'],
    ...categories.map(({ id, title }) => [`Category_${id}`, title] as const),
    ['Supported_Windows10', 'Windows 10 and later'],
    ...facts.flatMap((fact) => [
      [fact.name, titleOf(fact.name)] as const,
      [`${fact.name}_Help`, helpOf(fact)] as const,
      ...(fact.schema.enum ?? []).map((item) => [itemId(fact.name, item), item] as const),
    ]),
  ] as const;
  const presentations = facts.flatMap((fact) => presentationOf(fact) ?? []);
  return `<?xml version="1.0" encoding="utf-8"?>
${MADE_BY}
<policyDefinitionResources xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" revision="1.0" schemaVersion="1.0" xmlns="${SCHEMA}">
  <displayName>Sightline</displayName>
  <description>Policies of Sightline, the screen recorder for contact centers</description>
  <resources>
    <stringTable>
${strings.map(([id, text]) => `      <string id="${id}">${escaped(text)}</string>`).join('\n')}
    </stringTable>
    <presentationTable>
${presentations.join('\n')}
    </presentationTable>
  </resources>
</policyDefinitionResources>
`;
}

function policyOf(fact: PolicyFact): string {
  const { name, info } = fact;
  const category = categories.find(({ has }) => has(name))?.id ?? '';
  const isSwitch = info.form === 'boolean';
  const attributes = [
    `name="${name}"`,
    // HKLM comes before HKCU.
    'class="Both"',
    `displayName="$(string.${name})"`,
    `explainText="$(string.${name}_Help)"`,
    ...(isSwitch ? [] : [`presentation="$(presentation.${name})"`]),
    `key="${REGISTRY_KEY}"`,
    ...(isSwitch ? [`valueName="${name}"`] : []),
  ];
  const values = isSwitch
    ? [
        '      <enabledValue>\n        <decimal value="1" />\n      </enabledValue>',
        '      <disabledValue>\n        <decimal value="0" />\n      </disabledValue>',
      ]
    : [`      <elements>\n${elementOf(fact)}\n      </elements>`];
  return [
    `    <policy ${attributes.join(' ')}>`,
    `      <parentCategory ref="${category}" />`,
    '      <supportedOn ref="Windows10" />',
    ...values,
    '    </policy>',
  ].join('\n');
}

function elementOf({ name, info, schema }: PolicyFact): string {
  const where = `id="${name}" valueName="${name}"`;
  switch (info.form) {
    case 'integer':
      return `        <decimal ${where} required="true" minValue="${schema.minimum ?? 0}" maxValue="${schema.maximum ?? 0xffff_ffff}" />`;
    case 'list':
      // Each entry is a value of a key below: 1, 2, 3.
      return `        <list id="${name}" key="${REGISTRY_KEY}\\${name}" valuePrefix="" />`;
    default: {
      if (schema.enum === undefined)
        return `        <text ${where} required="true" maxLength="${schema.maxLength ?? LONGEST_TEXT}" />`;
      const items = schema.enum.map(
        (item) =>
          `          <item displayName="$(string.${itemId(name, item)})">\n            <value>\n              <string>${escaped(item)}</string>\n            </value>\n          </item>`,
      );
      return `        <enum ${where} required="true">\n${items.join('\n')}\n        </enum>`;
    }
  }
}

/** As long as a path may be, and most URLs. */
const LONGEST_TEXT = 4096;

function presentationOf(fact: PolicyFact): string | null {
  const { name, info, schema } = fact;
  const label = escaped(titleOf(name));
  const control = (): string => {
    const value = info.default;
    switch (info.form) {
      case 'integer':
        return `<decimalTextBox refId="${name}" defaultValue="${Number(value ?? schema.minimum ?? 0)}" spin="false">${label}</decimalTextBox>`;
      case 'list':
        return `<listBox refId="${name}">${label}</listBox>`;
      default: {
        if (schema.enum !== undefined) {
          const item = schema.enum.indexOf(String(value));
          return `<dropdownList refId="${name}" noSort="true" defaultItem="${Math.max(0, item)}">${label}</dropdownList>`;
        }
        const text = typeof value === 'string' ? `<defaultValue>${escaped(value)}</defaultValue>` : '';
        return `<textBox refId="${name}"><label>${label}</label>${text}</textBox>`;
      }
    }
  };
  if (info.form === 'boolean') return null;
  return `      <presentation id="${name}">\n        ${control()}\n      </presentation>`;
}

function helpOf({ name, info, defaultText }: PolicyFact): string {
  return [
    info.description.replaceAll('`', ''),
    `Default: ${defaultText}.`,
    `A change takes effect ${appliedWords[info.applied]}. What is set here the user cannot change.`,
    `Key: ${name}`,
  ].join('\n\n');
}

/** `s3KmsKeyId` -> `S3 KMS key id`; good enough to find a key by, and its own name stands below. */
function titleOf(name: PolicyKey): string {
  const words = name
    .split(/(?=MiB)|(?<!Mi)(?=[A-Z])/)
    .map((word) => (word === 'MiB' ? '(MiB)' : word.toLowerCase()));
  const spelled = words.map((word) => spellings[word] ?? word).join(' ');
  return spelled.charAt(0).toUpperCase() + spelled.slice(1);
}

const spellings: Readonly<Record<string, string>> = {
  s3: 'S3',
  aws: 'AWS',
  kms: 'KMS',
  id: 'ID',
  url: 'URL',
  fps: 'frames a second',
  dir: 'folder',
  kbit: '(kbit/s)',
  max: 'most',
  min: 'least',
};

function itemId(name: PolicyKey, item: string): string {
  return `${name}_${item.replaceAll(/\W/g, '_')}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
