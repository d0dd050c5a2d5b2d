// AWS's rules for ALLOWED_CONNECT_DOMAINS to the letter.
import { describe, expect, it } from 'vitest';
import { domainListSchema, domainProblem } from '../../../main/policy/domains.ts';

const problems = (names: unknown): string[] => {
  const parsed = domainListSchema.safeParse(names);
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.message);
};

describe('a domain', () => {
  it.each([
    ['acme.my.connect.aws'],
    ['ACME.awsapps.com'],
    ['a'],
    ['x-1.example'],
    ['10.0.0.1'],
    ['x'.repeat(256)],
  ])('may be %s', (name) => {
    expect(domainProblem(name)).toBeNull();
  });

  it.each([
    ['', 'it is empty'],
    ['x'.repeat(257), 'it has more than 256 characters'],
    ['https://acme.my.connect.aws', 'it has a scheme; give the name alone'],
    ['acme.my.connect.aws/ccp-v2', 'it has a path; give the name alone'],
    ['acme.my.connect.aws/', 'it has a path; give the name alone'],
    ['*.my.connect.aws', 'wildcards are not allowed; list each domain'],
    ['*', 'wildcards are not allowed; list each domain'],
    ['acme.my.connect.aws:443', 'it has a port; give the name alone'],
    ['acme_1.example', 'only letters, digits, "-" and "." are allowed'],
    ['acme my.example', 'only letters, digits, "-" and "." are allowed'],
    ['ácme.example', 'only letters, digits, "-" and "." are allowed'],
    ['acme.example\n', 'only letters, digits, "-" and "." are allowed'],
    ['acme@evil.example', 'only letters, digits, "-" and "." are allowed'],
    ['.example', 'a label between dots is empty'],
    ['acme.', 'a label between dots is empty'],
    ['acme..example', 'a label between dots is empty'],
  ])('must not be %j: %s', (name, problem) => {
    expect(domainProblem(name)).toBe(problem);
  });
});

describe('the list of domains', () => {
  it('may have a space after a comma, and is compared in lower case', () => {
    expect(domainListSchema.parse('ACME.my.connect.aws, b.example'.split(','))).toEqual([
      'acme.my.connect.aws',
      'b.example',
    ]);
  });

  it('may be empty', () => {
    expect(domainListSchema.parse([])).toEqual([]);
  });

  it.each([
    ['two spaces after a comma', 'a.example,  b.example'],
    ['a space before a comma', 'a.example ,b.example'],
    ['a space before the first name', ' a.example'],
    ['a space at the end', 'a.example, b.example '],
    ['a tab', 'a.example,\tb.example'],
    ['a line’s end', 'a.example,\nb.example'],
  ])('must not have %s', (_, text) => {
    expect(problems(text.split(','))).toEqual([
      expect.stringMatching(/^entry \d, ".*": only letters, digits, "-" and "\." are allowed$/),
    ]);
  });

  it('must not end with a comma, nor hold two in a row', () => {
    expect(problems('a.example,'.split(','))).toEqual(['entry 2, "": it is empty']);
    expect(problems('a.example, ,b.example'.split(','))).toEqual(['entry 2, "": it is empty']);
  });

  it('may have 500 names, not 501', () => {
    const names = Array.from({ length: 501 }, (_, n) => `a${n}.example`);
    expect(problems(names.slice(0, 500))).toEqual([]);
    expect(problems(names)).toEqual(['501 domains are named, 500 are allowed']);
  });

  it('may have 256 characters in a name, the space before it not counted', () => {
    expect(problems(['a.example', ` ${'x'.repeat(256)}`])).toEqual([]);
    expect(problems(['a.example', ` ${'x'.repeat(257)}`])).toHaveLength(1);
  });

  it('may have 128,000 characters, commas and spaces counted, not one more', () => {
    const names = (last: number, space = ''): string[] => [
      ...Array.from({ length: 498 }, () => 'x'.repeat(256)),
      space + 'x'.repeat(last),
    ];
    expect(names(14).join(',')).toHaveLength(128_000);
    expect(problems(names(14))).toEqual([]);
    expect(problems(names(15))).toEqual(['the list has 128001 characters, 128000 are allowed']);
    expect(problems(names(14, ' '))).toEqual(['the list has 128001 characters, 128000 are allowed']);
  });

  it('names each entry that is wrong, in few characters, and all of them', () => {
    expect(problems(['ok.example', 'https://a.example', '', 'y'.repeat(300)])).toEqual([
      'entry 2, "https://a.example": it has a scheme; give the name alone',
      'entry 3, "": it is empty',
      `entry 4, "${'y'.repeat(80)}": it has more than 256 characters`,
    ]);
  });

  it('has nothing but texts', () => {
    expect(problems(['a.example', 5])).not.toEqual([]);
    expect(problems('a.example')).not.toEqual([]);
  });
});
