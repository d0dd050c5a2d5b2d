// The tables of the MSI that wixl 0.101 cannot make, or makes wrong: it knows no rollback or commit actions, appends custom
// actions to the end of the script instead of where they are asked for, and has no launch conditions or PATH entries.
// Written as IDT, the text form that msibuild imports in place of a table.
import type { Cell, Table } from './idt.ts';

/**
 * Public properties that a user who is no administrator may pass to an installation that runs as SYSTEM, as a repair does:
 * only those that the installation finds out by itself. Settings come from administrators, who may pass every property
 * (https://learn.microsoft.com/windows/win32/msi/restricted-public-properties).
 */
export const secureProperties = ['OLDER_VERSION', 'NEWER_VERSION', 'PREVIOUS_INSTALLDIR'] as const;

// https://learn.microsoft.com/windows/win32/msi/custom-action-execution-options
const FROM_DLL = 1;
const SET_PROPERTY = 51;
const GO_ON = 0x40;
const ROLLBACK = 0x100;
const COMMIT = 0x200;
const IN_SCRIPT = 0x400;
const AS_SYSTEM = 0x800;

// https://learn.microsoft.com/windows/win32/msi/upgrade-table
const ONLY_DETECT = 2;
const MIN_INCLUSIVE = 0x100;
const MAX_INCLUSIVE = 0x200;

const unlessUpgrading = 'NOT UPGRADINGPRODUCTCODE';

export interface TableOptions {
  readonly version: string;
  /** In braces, as the table has it. */
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
        ['TellFolder', SET_PROPERTY, 'ARPINSTALLLOCATION', '[INSTALLDIR]', null],
        ['Prepare', FROM_DLL, 'Actions', 'Prepare', null],
        ['StopRunning', FROM_DLL, 'Actions', 'StopRunning', null],
        ['StartAgain', FROM_DLL | GO_ON | IN_SCRIPT | ROLLBACK | AS_SYSTEM, 'Actions', 'StartAgain', null],
        ['UndoPolicy', FROM_DLL | GO_ON | IN_SCRIPT | ROLLBACK | AS_SYSTEM, 'Actions', 'Apply', null],
        ['ApplyPolicy', FROM_DLL | IN_SCRIPT | AS_SYSTEM, 'Actions', 'Apply', null],
        [
          'StartAgainAfterAll',
          FROM_DLL | GO_ON | IN_SCRIPT | COMMIT | AS_SYSTEM,
          'Actions',
          'StartAgain',
          null,
        ],
      ],
    },
    sequence('InstallExecuteSequence', [
      ['FindRelatedProducts', null, 25],
      ['AppSearch', null, 50],
      ['LaunchConditions', null, 100],
      ['ValidateProductID', null, 700],
      ['KeepFolder', 'PREVIOUS_INSTALLDIR AND NOT INSTALLDIR', 799],
      ['CostInitialize', null, 800],
      ['FileCost', null, 900],
      ['CostFinalize', null, 1000],
      ['Prepare', null, 1001],
      ['TellFolder', null, 1002],
      ['MigrateFeatureStates', null, 1200],
      ['StopRunning', null, 1399],
      ['InstallValidate', null, 1400],
      ['InstallInitialize', null, 1500],
      // Before anything is in the script, so that the old version's files are not counted as this one's.
      ['RemoveExistingProducts', null, 1501],
      // Undone from last to first: Sightline is started again when the old files are back.
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
    // What a double click or /passive goes through before it hands over to the sequence above.
    sequence('InstallUISequence', [
      ['FindRelatedProducts', null, 25],
      ['AppSearch', null, 50],
      ['LaunchConditions', null, 100],
      ['ValidateProductID', null, 700],
      ['KeepFolder', 'PREVIOUS_INSTALLDIR AND NOT INSTALLDIR', 799],
      ['CostInitialize', null, 800],
      ['FileCost', null, 900],
      ['CostFinalize', null, 1000],
      ['MigrateFeatureStates', null, 1200],
      ['ExecuteAction', null, 1300],
    ]),
    {
      name: 'LaunchCondition',
      columns: ['Condition:s255', 'Description:l255'],
      keys: ['Condition'],
      rows: [
        [
          'NOT NEWER_VERSION',
          'A newer version of Sightline is installed. Uninstall it first, if this one is wanted.',
        ],
        ['Installed OR VersionNT64 >= 603', 'Sightline needs a 64-bit Windows 10 or newer.'],
        ['Privileged', 'Sightline is installed for the whole machine. Run this as an administrator.'],
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
      // "=-*": the machine's, set on installation, taken out on removal; "[~];": behind what is there.
      rows: [['Path', '=-*Path', '[~];[INSTALLDIR]bin', commandLineComponent]],
    },
  ];
}

function sequence(name: string, rows: readonly (readonly [string, string | null, number])[]): Table {
  const cells: readonly (readonly Cell[])[] = rows;
  return { name, columns: ['Action:s72', 'Condition:S255', 'Sequence:I2'], keys: ['Action'], rows: cells };
}
