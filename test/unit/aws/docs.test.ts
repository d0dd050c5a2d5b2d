// docs/aws.md says what the template has: each parameter with its default, and no name that the template does not have.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Deployment, readTemplate, type Parameter } from '../../rig/aws/template.ts';

const text = readFileSync(fileURLToPath(new URL('../../../docs/aws.md', import.meta.url)), 'utf8');
const template = readTemplate();

function rowOf(name: string, { Default, Description, AllowedValues }: Parameter): string[] {
  const values = (AllowedValues ?? []).map((one) => `\`${one}\``).join(', ');
  const initial = Default === undefined ? 'required' : Default === '' ? 'empty' : `\`${Default}\``;
  return [`\`${name}\``, initial, `${Description.trim()}${values === '' ? '' : ` ${values}.`}`];
}

const groups = (
  template.Metadata['AWS::CloudFormation::Interface'] as {
    ParameterGroups: { Label: { default: string }; Parameters: string[] }[];
  }
).ParameterGroups;
const inOrder = groups.flatMap(({ Parameters }) => Parameters);

describe('docs/aws.md', () => {
  it('lists the parameters in the order of the console', () => {
    const table = text.slice(text.indexOf('| parameter')).trim().split('\n').slice(2);
    const rows = table.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll(String.raw`\_`, '_')),
    );
    expect(rows).toEqual(inOrder.map((name) => rowOf(name, template.Parameters[name] ?? never(name))));
  });

  it('names parameters of the example that exist', () => {
    const [, json = ''] = /```json\n(\[[^`]*\])\n```/.exec(text) ?? [];
    const example = JSON.parse(json) as { ParameterKey: string; ParameterValue: string }[];
    const given = Object.fromEntries(example.map((one) => [one.ParameterKey, one.ParameterValue]));
    for (const [name, value] of Object.entries(given))
      expect(value, name).toMatch(new RegExp(`^(?:${template.Parameters[name]?.AllowedPattern ?? '.*'})$`));
    expect(Object.keys(new Deployment(given).resources()).length).toBeGreaterThan(20);
  });

  it('names resources and outputs that exist', () => {
    const names = [...text.matchAll(/`([A-Z][A-Za-z0-9]+)`/g)].map(([, name = '']) => name);
    const known = [template.Parameters, template.Resources, template.Outputs].flatMap((one) =>
      Object.keys(one),
    );
    const values = ['GOVERNANCE', 'COMPLIANCE', 'GLACIER', 'PutKeyPolicy', 'PutBucketPolicy'];
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !known.includes(name) && !values.includes(name))).toEqual([]);
  });
});

it('each parameter is in a group of the console', () => {
  expect(inOrder.toSorted()).toEqual(Object.keys(template.Parameters).toSorted());
});

function never(name: string): never {
  throw new Error(`The template has no parameter ${name}.`);
}
