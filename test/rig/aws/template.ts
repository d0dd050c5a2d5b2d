// Reads resources/aws/sightline.yml and resolves it for given parameters, as CloudFormation does, so that tests see the policies that a
// deployment has. It knows the functions that the template uses and throws on any other. Compared with moto's CloudFormation in
// test/integration/awsTemplate.test.ts.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocument, type CollectionTag, type ScalarTag } from 'yaml';

export const TEMPLATE_FILE = fileURLToPath(new URL('../../../resources/aws/sightline.yml', import.meta.url));
export const PSEUDO = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '123456789012',
  'AWS::StackName': 'sightline',
  'AWS::URLSuffix': 'amazonaws.com',
};
export type Pseudo = Readonly<Record<keyof typeof PSEUDO, string>>;

export type Json = null | string | number | boolean | Json[] | { [name: string]: Json };
export type JsonObject = Record<string, Json>;
export type Parameters = Readonly<Record<string, string>>;

export interface Parameter {
  readonly Type: string;
  readonly Description: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: JsonObject;
}
interface Template {
  readonly Metadata: JsonObject;
  readonly Parameters: Readonly<Record<string, Parameter>>;
  readonly Conditions: JsonObject;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: JsonObject;
}

/** `!Sub x` becomes `{ "Fn::Sub": x }`. */
const shortForms = ['Ref', 'GetAtt', 'Sub', 'If', 'Equals', 'Not', 'And', 'Or', 'Join'];
const customTags: (ScalarTag | CollectionTag)[] = shortForms.flatMap((name) => {
  const tag = `!${name}`;
  const long = name === 'Ref' ? name : `Fn::${name}`;
  const asText = (text: string) => ({ [long]: name === 'GetAtt' ? text.split('.') : text });
  return [
    { tag, resolve: asText },
    { tag, collection: 'seq', resolve: (seq: unknown) => seq } as unknown as CollectionTag,
  ];
});

export function templateText(): string {
  return readFileSync(TEMPLATE_FILE, 'utf8');
}

/** Functions in their long form. @param text the template, or a part of it */
export function parseTemplate(text: string): Json {
  const document = parseDocument(text, { customTags });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return toJson(document.contents);
}

export function readTemplate(): Template {
  return parseTemplate(templateText()) as unknown as Template;
}

interface Node {
  readonly tag?: string;
  readonly items?: readonly unknown[];
  readonly value?: unknown;
}

function toJson(node: unknown): Json {
  if (node === null || typeof node !== 'object') return node as Json;
  const { tag = '', items, value } = node as Node;
  if (items === undefined) return value as Json;
  const isMap = items.some((item) => item !== null && typeof item === 'object' && 'key' in item);
  const plain = isMap
    ? Object.fromEntries(
        (items as { key: Node; value: unknown }[]).map((pair) => [
          String(pair.key.value),
          toJson(pair.value),
        ]),
      )
    : items.map(toJson);
  return shortForms.includes(tag.slice(1)) ? { [`Fn::${tag.slice(1)}`]: plain } : plain;
}

/** A part that a condition left out. */
const ABSENT = Symbol('AWS::NoValue');

/** Of what a function refers to. */
function namesIn({ Ref, 'Fn::GetAtt': attribute, 'Fn::Sub': text }: JsonObject): string[] {
  if (typeof Ref === 'string') return [Ref];
  if (Array.isArray(attribute)) return [textOf(attribute[0])];
  if (typeof text !== 'string') return [];
  return [...text.matchAll(/\$\{([^}.]+)/g)].map(([, name = '']) => name);
}

/** As it is in a name or an environment variable. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function isPresent(value: Json | typeof ABSENT): value is Json {
  return value !== ABSENT;
}

export class Deployment {
  private readonly template = readTemplate();
  private readonly values: Readonly<Record<string, string>>;

  constructor(
    parameters: Parameters,
    private readonly pseudo: Pseudo = PSEUDO,
  ) {
    for (const name of Object.keys(parameters))
      if (!(name in this.template.Parameters)) throw new Error(`There is no parameter ${name}.`);
    const defaults = Object.entries(this.template.Parameters).map(([name, one]) => [
      name,
      parameters[name] ?? one.Default?.toString() ?? required(name),
    ]);
    this.values = { ...Object.fromEntries(defaults), ...pseudo } as Record<string, string>;
  }

  /** Those whose conditions hold. */
  resources(): Record<string, Resource> {
    const entries = Object.entries(this.template.Resources).filter(
      ([, { Condition }]) => Condition === undefined || this.holds(Condition),
    );
    return Object.fromEntries(
      entries.map(([name, one]) => [
        name,
        { ...one, Properties: this.resolve(one.Properties) as JsonObject },
      ]),
    );
  }

  outputs(): Record<string, string> {
    const entries = Object.entries(
      this.template.Outputs as Record<string, { Condition?: string; Value: Json }>,
    );
    return Object.fromEntries(
      entries
        .filter(([, { Condition }]) => Condition === undefined || this.holds(Condition))
        .map(([name, { Value }]) => [name, this.resolve(Value) as string]),
    );
  }

  /**
   * The template with its conditions decided and everything else as it is written, without outputs: moto (5.2.5) leaves a null in a list
   * where `Fn::If` leaves a value out.
   * @param leftOut types of resources that are left out; what refers to one has our resolver's value
   */
  decided(leftOut: readonly string[]): JsonObject {
    const { Parameters: parameters } = this.template;
    const all = Object.entries(this.resources());
    const isLeftOut = (name: string) => all.some(([one, { Type }]) => one === name && leftOut.includes(Type));
    const kept = all.filter(([name]) => !isLeftOut(name));
    const resources = kept.map(([name]) => {
      const { Condition: _, ...rest } = this.resource(name);
      return [name, this.decide(rest, isLeftOut)];
    });
    return {
      AWSTemplateFormatVersion: '2010-09-09',
      Parameters: parameters as unknown as Json,
      Resources: Object.fromEntries(resources) as JsonObject,
    };
  }

  private decide(value: Json, isLeftOut: (name: string) => boolean): Json | typeof ABSENT {
    const decide = (one: Json) => this.decide(one, isLeftOut);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(decide).filter(isPresent);
    const branches = value['Fn::If'] as Json[] | undefined;
    if (branches !== undefined)
      return decide((this.holds(branches[0] as string) ? branches[1] : branches[2]) ?? null);
    if (value['Ref'] === 'AWS::NoValue') return ABSENT;
    if (namesIn(value).some(isLeftOut)) return this.resolve(value);
    const entries = Object.entries(value).map(([key, one]) => [key, decide(one)] as const);
    return Object.fromEntries(entries.filter((one): one is [string, Json] => isPresent(one[1])));
  }

  private holds(condition: string): boolean {
    const rule = this.template.Conditions[condition];
    if (rule === undefined) throw new Error(`There is no condition ${condition}.`);
    return this.test(rule);
  }

  private test(rule: Json): boolean {
    const [[name, value] = ['', null]] = Object.entries(rule as JsonObject);
    const list = value as Json[];
    if (name === 'Condition') return this.holds(value as string);
    if (name === 'Fn::Not') return !this.test(list[0] ?? null);
    if (name === 'Fn::And') return list.every((one) => this.test(one));
    if (name === 'Fn::Or') return list.some((one) => this.test(one));
    if (name === 'Fn::Equals') return textOf(this.resolve(list[0])) === textOf(this.resolve(list[1]));
    throw new Error(`The condition ${name} is not known here.`);
  }

  private resolve(value: Json | undefined): Json {
    const resolved = this.resolved(value ?? null);
    return resolved === ABSENT ? null : resolved;
  }

  private resolved(value: Json): Json | typeof ABSENT {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((one) => this.resolved(one)).filter(isPresent);
    const [[name, argument] = ['', null]] = Object.entries(value);
    if (Object.keys(value).length === 1 && (name === 'Ref' || name.startsWith('Fn::')))
      return this.call(name, argument);
    const entries = Object.entries(value).map(([key, one]) => [key, this.resolved(one)] as const);
    return Object.fromEntries(entries.filter((one): one is [string, Json] => isPresent(one[1])));
  }

  private call(name: string, argument: Json): Json | typeof ABSENT {
    const list = argument as Json[];
    if (name === 'Ref') return this.ref(argument as string);
    if (name === 'Fn::GetAtt') return this.attribute((list as string[]).join('.'));
    if (name === 'Fn::If') return this.resolved((this.holds(list[0] as string) ? list[1] : list[2]) ?? null);
    if (name === 'Fn::Join') return (this.resolve(list[1] ?? null) as string[]).join(list[0] as string);
    if (name === 'Fn::Sub') return this.substitute(argument as string);
    throw new Error(`The function ${name} is not known here.`);
  }

  private ref(name: string): Json | typeof ABSENT {
    if (name === 'AWS::NoValue') return ABSENT;
    const value = this.values[name];
    if (value === undefined) return this.physicalName(name);
    const type = this.template.Parameters[name]?.Type;
    if (type === 'Number') return Number(value);
    if (type === 'CommaDelimitedList') return value.split(',');
    return value;
  }

  private substitute(text: string): string {
    return text.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      return name.includes('.') ? this.attribute(name) : textOf(this.ref(name) as Json);
    });
  }

  /** What `Ref` of a resource is. */
  private physicalName(name: string): string {
    const { Type, Properties } = this.resource(name);
    const named = ['BucketName', 'LogGroupName', 'Name', 'FunctionName', 'DashboardName'].find(
      (key) => key in Properties,
    );
    if (Type === 'AWS::SNS::Topic') return this.attribute(`${name}.TopicArn`);
    return named === undefined ? `sightline-${name}` : textOf(this.resolve(Properties[named]));
  }

  private attribute(path: string): string {
    const [name = '', attribute] = path.split('.');
    const { Type, Properties } = this.resource(name);
    const { 'AWS::Partition': partition, 'AWS::Region': region, 'AWS::AccountId': account } = this.pseudo;
    const arn = (service: string, rest: string, where = `${region}:${account}`) =>
      `arn:${partition}:${service}:${where}:${rest}`;
    if (attribute === 'ApiEndpoint')
      return `${textOf(Properties['ProtocolType']) === 'HTTP' ? 'https' : 'wss'}://${this.physicalName(name)}.execute-api.${region}.${this.pseudo['AWS::URLSuffix']}`;
    if (attribute === 'Name') return this.physicalName(name);
    switch (Type) {
      case 'AWS::S3::Bucket':
        return arn('s3', this.physicalName(name), ':');
      case 'AWS::KMS::Key':
        return arn('kms', 'key/11111111-2222-3333-4444-555555555555');
      case 'AWS::IAM::Role':
        return arn('iam', `role/sightline-${name}`, `:${account}`);
      case 'AWS::Logs::LogGroup':
        return `${arn('logs', `log-group:${this.physicalName(name)}`)}:*`;
      case 'AWS::Events::EventBus':
        return arn('events', `event-bus/${this.physicalName(name)}`);
      case 'AWS::Lambda::Function':
        return arn('lambda', `function:${this.physicalName(name)}`);
      case 'AWS::SQS::Queue':
        return arn('sqs', textOf(this.resolve(Properties['QueueName'])));
      case 'AWS::Events::Rule':
        return arn(
          'events',
          `rule/${textOf(this.resolve(Properties['EventBusName']))}/${this.physicalName(name)}`,
        );
      case 'AWS::SNS::Topic':
        return arn('sns', textOf(this.resolve(Properties['TopicName'])));
      case 'AWS::DynamoDB::Table':
        return arn('dynamodb', `table/${this.physicalName(name)}`);
      default:
        throw new Error(`${path} is not known here.`);
    }
  }

  private resource(name: string): Resource {
    const found = this.template.Resources[name];
    if (found === undefined) throw new Error(`There is no resource or parameter ${name}.`);
    return found;
  }
}

function required(name: string): never {
  throw new Error(`The parameter ${name} has no default.`);
}
