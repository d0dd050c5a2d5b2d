// Windows Installer's internal consistency evaluators (https://learn.microsoft.com/windows/win32/msi/ice-reference), as far as they can be
// read from the tables. The real ones need Windows: the release workflow runs them on the finished MSI.
import { runOrThrow } from '../rig/process.ts';

type Row = Readonly<Record<string, string>>;

export interface Tables {
  of(name: string): readonly Row[];
  /** The summary information. */
  readonly summary: string;
}

export async function readTables(msi: string): Promise<Tables> {
  const info = async (...words: string[]) => (await runOrThrow('msiinfo', words)).stdout.toString();
  const names = (await info('tables', msi)).split(/\r?\n/).filter((name) => name !== '');
  const tables = new Map<string, readonly Row[]>();
  // The streams have no rows to read.
  for (const name of names.filter((one) => !/^_|^Binary$|^Icon$/.test(one)))
    tables.set(name, rowsOf(await info('export', msi, name)));
  return { of: (name) => tables.get(name) ?? [], summary: await info('suminfo', msi) };
}

function rowsOf(idt: string): Row[] {
  const [columns = [], , , ...rows] = idt
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
  return rows.map((cells) => Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ''])));
}

const GUID = /^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/;
const IDENTIFIER = /^[A-Za-z_][\w.]{0,71}$/;
const IN_SCRIPT = 0x400;
const IS_64_BIT = 256;

type Rule = (tables: Tables) => string[];

const repeated = (values: readonly string[]): string[] =>
  values.filter((value, index) => value !== '' && values.indexOf(value) !== index);
const wrong = <T>(
  values: readonly T[],
  isRight: (value: T) => boolean,
  what: (value: T) => string,
): string[] => values.filter((value) => !isRight(value)).map(what);
const places = (tables: Tables, sequence = 'InstallExecuteSequence'): Map<string, number> =>
  new Map(tables.of(sequence).map(({ Action = '', Sequence = '' }) => [Action, Number(Sequence)]));

/** Windows' order of the standard actions that we have. */
const ORDER = [
  ...[
    'FindRelatedProducts',
    'AppSearch',
    'LaunchConditions',
    'ValidateProductID',
    'CostInitialize',
    'FileCost',
  ],
  ...['CostFinalize', 'MigrateFeatureStates', 'InstallValidate', 'InstallInitialize', 'ProcessComponents'],
  ...[
    'UnpublishFeatures',
    'RemoveRegistryValues',
    'RemoveEnvironmentStrings',
    'RemoveFiles',
    'RemoveFolders',
  ],
  ...['InstallFiles', 'WriteRegistryValues', 'WriteEnvironmentStrings', 'RegisterUser', 'RegisterProduct'],
  ...['PublishFeatures', 'PublishProduct', 'InstallFinalize'],
];

/** Not all of ICE03: wixl leaves the table _Validation empty, from which Windows' own ICE03 takes its rules for columns. */
export const rules: Readonly<Record<string, Rule>> = {
  'ICE03 identifiers': (tables) =>
    ['Component', 'Directory', 'File', 'Feature', 'Property', 'CustomAction'].flatMap((name) => {
      const keys = tables.of(name).map((row) => row[name === 'CustomAction' ? 'Action' : name] ?? '');
      return wrong(
        keys,
        (key) => IDENTIFIER.test(key),
        (key) => `${name}: ${key}`,
      );
    }),
  'ICE08 a GUID for each component': (tables) => {
    const guids = tables.of('Component').map(({ ComponentId = '' }) => ComponentId);
    return [
      ...repeated(guids),
      ...wrong(
        guids,
        (guid) => GUID.test(guid),
        (guid) => `not a GUID: ${guid}`,
      ),
    ];
  },
  'ICE15/ICE21 each component has a feature and a directory': (tables) => {
    const inFeature = new Set(tables.of('FeatureComponents').map(({ Component_ }) => Component_));
    const folders = new Set(tables.of('Directory').map(({ Directory }) => Directory));
    return wrong(
      tables.of('Component'),
      ({ Component, Directory_ }) => inFeature.has(Component) && folders.has(Directory_),
      ({ Component = '' }) => Component,
    );
  },
  'ICE24 product properties': (tables) => {
    const value = (name: string) =>
      tables.of('Property').find(({ Property }) => Property === name)?.Value ?? '';
    return [
      ...(['ProductCode', 'UpgradeCode'] as const).filter((name) => !GUID.test(value(name))),
      ...(/^\d+\.\d+\.\d+$/.test(value('ProductVersion')) ? [] : ['ProductVersion']),
      ...(/^\d+$/.test(value('ProductLanguage')) ? [] : ['ProductLanguage']),
    ];
  },
  'ICE26/ICE27 the standard actions, in their order': (tables) => {
    const at = places(tables);
    const found = ORDER.map((action) => at.get(action) ?? -1);
    return ORDER.filter((_, index) => index > 0 && (found[index] ?? -1) <= (found[index - 1] ?? -1));
  },
  'ICE30 one file of a name in a folder': (tables) => {
    const folder = new Map(
      tables.of('Component').map(({ Component, Directory_ }) => [Component, Directory_]),
    );
    return repeated(
      tables
        .of('File')
        .flatMap(({ Component_ = '', FileName = '' }) =>
          [...new Set(FileName.toLowerCase().split('|'))].map(
            (name) => `${folder.get(Component_) ?? ''}/${name}`,
          ),
        ),
    );
  },
  'ICE61 upgrades': (tables) => {
    const secure =
      tables.of('Property').find(({ Property }) => Property === 'SecureCustomProperties')?.Value ?? '';
    return wrong(
      tables.of('Upgrade'),
      ({ ActionProperty = '', UpgradeCode = '' }) =>
        GUID.test(UpgradeCode) &&
        ActionProperty === ActionProperty.toUpperCase() &&
        secure.split(';').includes(ActionProperty),
      ({ ActionProperty = '' }) => ActionProperty,
    );
  },
  'ICE63 the old version goes right after InstallInitialize': (tables) => {
    const at = places(tables);
    const between = [...at].filter(
      ([, place]) =>
        place > (at.get('InstallInitialize') ?? 0) && place < (at.get('RemoveExistingProducts') ?? 0),
    );
    return between.map(([action]) => action);
  },
  'ICE68/ICE77 custom actions of the script run in it': (tables) => {
    const at = places(tables);
    const [from = 0, to = 0] = [at.get('InstallInitialize'), at.get('InstallFinalize')];
    return wrong(
      tables.of('CustomAction').filter(({ Type }) => (Number(Type) & IN_SCRIPT) !== 0),
      ({ Action = '' }) => (at.get(Action) ?? 0) > from && (at.get(Action) ?? 0) < to,
      ({ Action = '' }) => Action,
    );
  },
  'ICE80 64-bit components in a 64-bit package': (tables) => [
    ...wrong(
      tables.of('Component'),
      ({ Attributes }) => (Number(Attributes) & IS_64_BIT) !== 0,
      ({ Component = '' }) => Component,
    ),
    ...(/^Template: x64;1033$/m.test(tables.summary) ? [] : [`the template: ${tables.summary}`]),
  ],
  'ICE82 one action at a place': (tables) =>
    ['InstallExecuteSequence', 'InstallUISequence'].flatMap((name) =>
      repeated(tables.of(name).map(({ Sequence = '' }) => Sequence)),
    ),
};
