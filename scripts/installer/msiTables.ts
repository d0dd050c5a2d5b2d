// The tables of the MSI that wixl 0.101 cannot make or makes wrong: it has no rollback and commit actions, launch conditions
// and PATH entries, and puts custom actions at the end of the sequence instead of in their places. msibuild imports them.
import type { Table } from './idt.ts';

/**
 * Public properties that users who are not administrators may pass to an installation that runs as SYSTEM, such as a repair:
 * only those that the installation determines itself. Administrators may pass all properties
 * (https://learn.microsoft.com/windows/win32/msi/restricted-public-properties).
 */
export const secureProperties = [
  'OLDER_VERSION',
  'NEWER_VERSION',
  'PREVIOUS_INSTALLDIR',
  'WINDOWS_BUILD',
] as const;

// https://learn.microsoft.com/windows/win32/msi/custom-action-execution-options
const FROM_DLL = 1;
const SET_PROPERTY = 51;
const CONTINUE_ON_ERROR = 0x40;
/** In the script that runs as SYSTEM. */
const DEFERRED = 0x400 | 0x800;
const ROLLBACK = DEFERRED | 0x100 | CONTINUE_ON_ERROR;
const COMMIT = DEFERRED | 0x200 | CONTINUE_ON_ERROR;

// https://learn.microsoft.com/windows/win32/msi/upgrade-table
const ONLY_DETECT = 2;
const MIN_INCLUSIVE = 0x100;
const MAX_INCLUSIVE = 0x200;

type Step = readonly [action: string, condition: string | null, sequence: number];

const unlessUpgrading = 'NOT UPGRADINGPRODUCTCODE';

/** What a double click or /passive runs too, before the installation itself. */
const firstSteps: readonly Step[] = [
  ['FindRelatedProducts', null, 25],
  ['AppSearch', null, 50],
  ['LaunchConditions', null, 100],
  ['ValidateProductID', null, 700],
  ['KeepFolder', 'PREVIOUS_INSTALLDIR AND NOT INSTALLDIR', 799],
  ['CostInitialize', null, 800],
  ['FileCost', null, 900],
  ['CostFinalize', null, 1000],
  ['MigrateFeatureStates', null, 1200],
];

export interface TableOptions {
  readonly version: string;
  /** In braces, as in the table. */
  readonly upgradeCode: string;
  /** The component of bin\sightline.exe. */
  readonly commandLineComponent: string;
}

export function msiTables({ version, upgradeCode, commandLineComponent }: TableOptions): Table[] {
  return [
    {
      name: 'CustomAction',
      columns: ['Action:s72', 'Type:i2', 'Source:S72', 'Target:S255', 'ExtendedType:I4'],
      keys: ['Action'],
      rows: [
        ['KeepFolder', SET_PROPERTY, 'INSTALLDIR', '[PREVIOUS_INSTALLDIR]', null],
        // The location that Windows shows in its list of programs.
        ['SetLocation', SET_PROPERTY, 'ARPINSTALLLOCATION', '[INSTALLDIR]', null],
        fromDll('Prepare', 0),
        fromDll('StopRunning', 0),
        fromDll('StartAgain', ROLLBACK),
        fromDll('UndoPolicy', ROLLBACK, 'Apply'),
        fromDll('ApplyPolicy', DEFERRED, 'Apply'),
        fromDll('StartAgainAfterAll', COMMIT, 'StartAgain'),
      ],
    },
    sequence('InstallExecuteSequence', [
      ...firstSteps,
      ['Prepare', null, 1001],
      ['SetLocation', null, 1002],
      ['StopRunning', null, 1399],
      ['InstallValidate', null, 1400],
      ['InstallInitialize', null, 1500],
      // Before any other step, so that the old version's files do not count as this one's.
      ['RemoveExistingProducts', null, 1501],
      // Rollback runs from last to first: Sightline starts again after the old files are back.
      ['StartAgain', unlessUpgrading, 1502],
      ['ProcessComponents', null, 1600],
      ['UnpublishFeatures', null, 1800],
      ['RemoveRegistryValues', null, 2600],
      ['RemoveEnvironmentStrings', null, 3300],
      ['RemoveFiles', null, 3500],
      ['RemoveFolders', null, 3600],
      ['InstallFiles', null, 4000],
      ['WriteRegistryValues', null, 5000],
      ['UndoPolicy', unlessUpgrading, 5001],
      ['ApplyPolicy', unlessUpgrading, 5002],
      ['WriteEnvironmentStrings', null, 5200],
      ['RegisterUser', null, 6000],
      ['RegisterProduct', null, 6100],
      ['PublishFeatures', null, 6300],
      ['PublishProduct', null, 6400],
      ['StartAgainAfterAll', `${unlessUpgrading} AND NOT (REMOVE="ALL")`, 6500],
      ['InstallFinalize', null, 6600],
    ]),
    sequence('InstallUISequence', [...firstSteps, ['ExecuteAction', null, 1300]]),
    {
      name: 'LaunchCondition',
      columns: ['Condition:s255', 'Description:l255'],
      keys: ['Condition'],
      rows: [
        [
          'NOT NEWER_VERSION',
          'A newer version of Sightline is installed. To install this version, remove the newer one first.',
        ],
        ['Installed OR VersionNT64 >= 603', 'Sightline needs a 64-bit Windows 10 or newer.'],
        [
          'Installed OR NOT (%PROCESSOR_ARCHITECTURE = "ARM64") OR WINDOWS_BUILD >= 22000',
          'On a computer with an ARM64 processor Sightline needs Windows 11: Windows 10 does not run 64-bit programs for Intel there.',
        ],
        ['Privileged', 'Sightline is installed for all users. Run this as an administrator.'],
      ],
    },
    {
      name: 'Upgrade',
      columns: [
        ...['UpgradeCode:s38', 'VersionMin:S20', 'VersionMax:S20', 'Language:S255', 'Attributes:i4'],
        ...['Remove:S255', 'ActionProperty:s72'],
      ],
      keys: ['UpgradeCode', 'VersionMin', 'VersionMax', 'Language', 'Attributes'],
      rows: [
        // The same version too: a build with other files has another product code.
        [upgradeCode, '0.0.0', version, null, MIN_INCLUSIVE | MAX_INCLUSIVE, null, 'OLDER_VERSION'],
        [upgradeCode, version, null, null, ONLY_DETECT, null, 'NEWER_VERSION'],
      ],
    },
    {
      name: 'Environment',
      columns: ['Environment:s72', 'Name:l255', 'Value:L255', 'Component_:s72'],
      keys: ['Environment'],
      // "=-*": the machine's PATH, set by installation and reset by removal. "[~];": after its present value.
      rows: [['Path', '=-*Path', '[~];[INSTALLDIR]bin', commandLineComponent]],
    },
  ];
}

/** @param entryPoint the DLL's function, the action's name if omitted */
function fromDll(action: string, options: number, entryPoint = action): Table['rows'][number] {
  return [action, FROM_DLL | options, 'Actions', entryPoint, null];
}

function sequence(name: string, steps: readonly Step[]): Table {
  return { name, columns: ['Action:s72', 'Condition:S255', 'Sequence:I2'], keys: ['Action'], rows: steps };
}
