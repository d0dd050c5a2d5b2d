// Each statement of the template's policies has its reason above it, and an asterisk in an action or a resource a reason of its own.
import { describe, expect, it } from 'vitest';
import { listOf } from '../../rig/aws/policies.ts';
import { parseTemplate, templateText, type Json, type JsonObject } from '../../rig/aws/template.ts';

interface Written {
  readonly sid: string;
  readonly reason: string;
  readonly statement: JsonObject;
}

/** The block that begins with `- Sid:`, and the comment above it. */
function statementsIn(text: string): Written[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const found = /^( *)- Sid: (\w+)$/.exec(line);
    if (found === null) return [];
    const [, indent = '', sid = ''] = found;
    const first = lines.slice(0, at).findLastIndex((one) => !/^ *# /.test(one)) + 1;
    const rest = lines.slice(at + 1);
    const length = rest.findIndex((one) => !one.startsWith(`${indent}  `));
    const block = [line, ...rest.slice(0, length)].join('\n');
    const reason = lines.slice(first, at).map((one) => one.trim().slice(2));
    const [statement] = parseTemplate(block) as JsonObject[];
    return [{ sid, reason: reason.join(' '), statement: statement ?? {} }];
  });
}

function problemsOf({ sid, reason, statement }: Written): string[] {
  const has = (part: string) => textsIn(statement[part] ?? null).some((one) => one.includes('*'));
  return [
    ...(reason.length < 15 ? [`${sid}: there is no reason above it`] : []),
    ...(has('Action') && !/Action \*: \w+/.test(reason) ? [`${sid}: an action has * without a reason`] : []),
    ...(has('Resource') && !/Resource \*: \w+/.test(reason)
      ? [`${sid}: a resource has * without a reason`]
      : []),
    ...('NotAction' in statement || 'NotResource' in statement || 'NotPrincipal' in statement
      ? [`${sid}: says what it does not concern`]
      : []),
  ];
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return listOf(value);
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];
}

describe('each statement', () => {
  const text = templateText();
  const statements = statementsIn(text);

  it('has a name and a reason', () => {
    expect(statements.flatMap(problemsOf)).toEqual([]);
  });

  it('is found', () => {
    const effects = [...text.matchAll(/^ *(?:- )?Effect: (?:Allow|Deny)$/gm)];
    expect(statements.length).toBe(effects.length);
    expect(statements.length).toBeGreaterThan(30);
  });

  it('in a policy that is text has a reason above the text', () => {
    const names = [...text.matchAll(/"Sid": "(\w+)"/g)].map(([, sid = '']) => sid);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((sid) => !text.includes(`# ${sid}: `))).toEqual([]);
    expect([...text.matchAll(/"Effect"/g)].length).toBe(names.length);
  });
});

describe('the check itself', () => {
  const check = (...lines: string[]) => statementsIn(`${lines.join('\n')}\n`).flatMap(problemsOf);
  const reason = '  # Why it is there, at some length.';
  const rest = ['    Effect: Allow', '    Action: s3:GetObject'];

  it('finds a statement without a reason', () => {
    expect(check('a:', '  - Sid: One', ...rest)).toEqual(['One: there is no reason above it']);
  });

  it('finds asterisks without a reason', () => {
    expect(check(reason, '  - Sid: One', '    Effect: Allow', '    Action: [s3:Get*]')).toEqual([
      'One: an action has * without a reason',
    ]);
    expect(check(reason, '  - Sid: One', ...rest, "    Resource: !Sub '${Bucket}/*'")).toEqual([
      'One: a resource has * without a reason',
    ]);
    expect(
      check(reason, '  # Resource *: all of them.', '  - Sid: One', ...rest, "    Resource: '*'"),
    ).toEqual([]);
  });
});
