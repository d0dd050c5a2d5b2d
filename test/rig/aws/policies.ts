// Evaluates IAM policies offline, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html describes:
// an explicit Deny wins, and otherwise each kind of policy that applies must allow. Ours, because moto (5.2.5) takes an unmet condition for a
// Deny and has few operators, and the npm simulator has a license (AGPL) that we do not take on. It throws on what it does not know.

export type Condition = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Condition;
}
export interface Policy {
  readonly Statement: readonly Statement[];
}
export interface Request {
  readonly action: string;
  readonly resource: string;
  /** The ARN of a role, for policies with a principal. */
  readonly principal?: string;
  /** Condition keys as the service sets them; what is not named is absent. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}
export type Decision = 'allowed' | 'denied' | 'neither';

/** Of all these policies together. */
export function decide(policies: readonly Policy[], request: Request): Decision {
  const effects = policies
    .flatMap(({ Statement }) => Statement)
    .filter((statement) => applies(statement, request))
    .map(({ Effect }) => Effect);
  if (effects.includes('Deny')) return 'denied';
  return effects.includes('Allow') ? 'allowed' : 'neither';
}

/**
 * For a role's session in the bucket's own account.
 * @param resource the policy of the bucket; absent: it has none. In one account it need not allow, but may deny
 * @param session of sts:AssumeRole; absent: none was given
 */
export function sessionMay(
  policies: { identity: Policy; session?: Policy; resource?: Policy },
  request: Request,
): boolean {
  const { identity, session, resource } = policies;
  const limits = session === undefined ? [identity] : [identity, session];
  if (resource !== undefined && decide([resource], request) === 'denied') return false;
  return limits.every((policy) => decide([policy], request) === 'allowed');
}

function applies(statement: Statement, request: Request): boolean {
  const { Action, Resource, Principal, Condition = {} } = statement;
  if (!listOf(Action).some((pattern) => like(pattern, request.action, true))) return false;
  const filled = (text: string) => fill(text, request);
  if (Resource !== undefined && !listOf(Resource).some((pattern) => like(filled(pattern), request.resource)))
    return false;
  if (Principal !== undefined && !principalMatches(Principal, request.principal)) return false;
  return Object.entries(Condition).every(([operator, tests]) =>
    Object.entries(tests).every(([key, wanted]) =>
      holds(
        operator,
        request.context?.[key],
        [wanted].flat().map((one) => filled(String(one))),
      ),
    ),
  );
}

function principalMatches(principal: NonNullable<Statement['Principal']>, who: string | undefined): boolean {
  if (principal === '*') return true;
  const all = Object.values(principal).flatMap(listOf);
  const account = who?.split(':')[4];
  return all.some((one) => one === who || (account !== undefined && one.endsWith(`::${account}:root`)));
}

/** A variable without a value matches nothing (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html). */
function fill(text: string, { context = {} }: Request): string {
  return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => String(context[name] ?? '\u0000'));
}

const negated = /^(String|Arn|Numeric)Not/;

function holds(
  operator: string,
  has: string | readonly string[] | undefined,
  wanted: readonly string[],
): boolean {
  const [, name = operator] = /^ForAllValues:(.*)$/.exec(operator) ?? [];
  if (name !== operator) return has === undefined || listOf(has).every((one) => test(name, one, wanted));
  // An absent key meets a negated test and no other.
  if (has === undefined) return negated.test(operator);
  return test(operator, String(has), wanted);
}

function test(operator: string, has: string, wanted: readonly string[]): boolean {
  switch (operator) {
    case 'StringEquals':
      return wanted.includes(has);
    case 'StringNotEquals':
      return !wanted.includes(has);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return wanted.some((pattern) => like(pattern, has));
    case 'ArnNotEquals':
      return !wanted.some((pattern) => like(pattern, has));
    case 'Bool':
      return wanted.some((one) => one.toLowerCase() === has.toLowerCase());
    case 'NumericLessThan':
      return wanted.some((one) => Number(has) < Number(one));
    default:
      throw new Error(`The operator ${operator} is not known here.`);
  }
}

/** `*` is any text, `?` one character. Actions are compared without case. */
function like(pattern: string, text: string, ignoresCase = false): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const expression = escaped.replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${expression}$`, ignoresCase ? 'is' : 's').test(text);
}

export function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'string' ? [value] : value;
}
