// The import directions of the design, as rules. A new folder gets its line here before it gets its first import.
const main = (names) => `^main/(${names})/`;
/** What the agent sees. */
const desktop = 'tray|windows|indicator|statusWindow';
/** The files of those rooms that talk to Electron; everything else runs and is tested in plain Node. */
const electronFaces = [
  'tray/tray',
  'windows/(security|ipc|dialogs)',
  'indicator/indicator',
  'statusWindow/window',
].join('|');

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'shared-imports-nothing-of-ours',
      comment: 'shared runs in the renderer and the page too: no electron, no node, no sibling',
      severity: 'error',
      from: { path: main('shared') },
      to: { pathNot: ['^main/shared/', '^node_modules/zod/'] },
    },
    {
      name: 'platform-imports-shared-only',
      severity: 'error',
      from: { path: main('platform') },
      to: { path: '^(main|preload|renderer|ccp)/', pathNot: main('platform|shared') },
    },
    {
      name: 'services-do-not-know-each-other',
      comment: 'services.ts connects capture, spool and policy; they do not import one another',
      severity: 'error',
      from: { path: '^main/(capture|spool|policy)/' },
      to: { path: '^main/', pathNot: ['^main/(platform|shared|media)/', '^main/$1/'] },
    },
    {
      name: 'status-describes-session-and-spool',
      comment:
        'status announces what the session decides and the spool journals: it knows their types and calls neither',
      severity: 'error',
      from: { path: main('status') },
      to: { path: '^main/', pathNot: main('status|session|spool|platform|shared') },
    },
    {
      name: 'session-and-status-import-types-only',
      severity: 'error',
      from: { path: main('session|status') },
      to: { path: main('session|spool'), pathNot: '^main/$1/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'fleet-reports-through-status',
      severity: 'error',
      from: { path: main('fleet') },
      to: { path: '^main/', pathNot: main('fleet|status|platform|shared') },
    },
    {
      name: 'media-imports-shared-only',
      severity: 'error',
      from: { path: main('media') },
      to: { path: '^(main|preload|renderer|ccp)/', pathNot: main('media|shared') },
    },
    {
      name: 'session-declares-ports',
      comment: 'of the spool it knows what a journal says, as types',
      severity: 'error',
      from: { path: main('session') },
      to: { path: '^main/', pathNot: main('session|spool|shared|platform') },
    },
    {
      name: 'publisher-reads-spool-status-and-policy',
      severity: 'error',
      from: { path: main('publisher') },
      to: { path: '^main/', pathNot: main('publisher|spool|status|policy|media|shared|platform') },
    },
    {
      name: 'only-entries-import-diagnostics',
      comment: 'diagnostics examines every room, so no room may depend on it',
      severity: 'error',
      from: {
        path: '^main/',
        pathNot: ['^main/(diagnostics|headless)/', '^main/(index|desktop)\\.ts$'],
      },
      to: { path: main('diagnostics') },
    },
    {
      name: 'only-entries-import-the-composition-root',
      comment:
        'the entries start the services, desktop.ts and diagnostics know their type; no other room may reach up to them',
      severity: 'error',
      from: {
        path: '^main/',
        pathNot: [
          '^main/(index|desktop|services)\\.ts$',
          '^main/headless/(serve|try)\\.ts$',
          '^main/diagnostics/app\\.ts$',
        ],
      },
      to: { path: '^main/(services|stopServices)\\.ts$' },
    },
    {
      name: 'entries-are-imported-by-none',
      severity: 'error',
      from: { path: '^main/' },
      to: { path: '^main/(index|headless)\\.ts$' },
    },
    {
      name: 'commands-know-no-windows',
      comment: 'the command line runs without Electron',
      severity: 'error',
      from: { path: '^main/headless(/|\\.ts$)' },
      to: { path: [main(desktop), '^main/desktop\\.ts$'] },
    },
    {
      name: 'composition-root-knows-no-windows',
      comment: 'the services are the same with and without Electron',
      severity: 'error',
      from: { path: '^main/(services|stopServices)\\.ts$' },
      to: { path: ['^main/(index|desktop|headless)\\.ts$', main(`headless|${desktop}`)] },
    },
    {
      name: 'browser-policy-imports-platform-and-shared',
      severity: 'error',
      from: { path: main('browserPolicy') },
      to: { path: '^main/', pathNot: main('browserPolicy|platform|shared') },
    },
    {
      name: 'faces-call-the-session-and-read-status',
      comment: 'they never touch capture or spool, and never each other; windows has what both windows share',
      severity: 'error',
      from: { path: '^main/(server|tray|windows|indicator)/' },
      to: {
        path: '^main/',
        pathNot: [
          '^main/(session|status|shared|platform)/',
          '^main/$1/',
          '^main/windows/(ipc|requests|security)\\.ts$',
        ],
      },
    },
    {
      name: 'only-both-windows-import-windows',
      severity: 'error',
      from: {
        path: '^main/',
        pathNot: [main('windows|indicator|statusWindow'), '^main/(index|desktop)\\.ts$'],
      },
      to: { path: main('windows') },
    },
    {
      name: 'status-window-reads-services',
      comment: 'it shows what the services have, and calls none that records',
      severity: 'error',
      from: { path: main('statusWindow') },
      to: {
        path: '^main/',
        pathNot: main('statusWindow|windows|capture|publisher|policy|session|spool|status|shared|platform'),
      },
    },
    {
      name: 'only-the-desktop-imports-its-rooms',
      severity: 'error',
      from: { path: '^main/', pathNot: [main(desktop), '^main/(index|desktop)\\.ts$'] },
      to: { path: main(desktop), pathNot: '^main/statusWindow/parts\\.ts$' },
    },
    {
      name: 'electron-only-in-its-faces',
      comment: 'everything else runs and is tested in plain Node',
      severity: 'error',
      from: {
        pathNot: [
          `^main/(${electronFaces})\\.ts$`,
          '^main/(index|desktop)\\.ts$',
          '^main/platform/electron[^/]*\\.ts$',
          '^preload/',
        ],
      },
      to: { path: '^(node_modules/)?electron(/|$)' },
    },
    {
      name: 'page-side-imports-nothing-of-the-recorder',
      comment:
        'ccp is a package of its own: what it shares with the recorder is the protocol, and a test compares both',
      severity: 'error',
      from: { path: '^ccp/' },
      to: { path: '^(main|preload|renderer|test|scripts|node_modules)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'page-side-imports-no-type-of-the-recorder',
      severity: 'error',
      from: { path: '^ccp/' },
      to: { path: '^(main|preload|renderer|test|scripts)/' },
    },
    {
      name: 'client-and-contacts-stand-alone',
      comment: 'contacts knows the client by the contract only',
      severity: 'error',
      from: { path: '^ccp/src/(client|contacts)/' },
      to: { path: '^ccp/src/', pathNot: ['^ccp/src/$1/', '^ccp/src/(contract|protocol|listeners)\\.ts$'] },
    },
    {
      name: 'bridges-know-the-contract-only',
      comment: 'index.ts connects them with client and contacts; of those they know types at most',
      severity: 'error',
      from: { path: '^ccp/src/(streams|workspace|status|failures|relay)/' },
      to: {
        path: '^ccp/src/',
        pathNot: [
          '^ccp/src/$1/',
          '^ccp/src/(contract|protocol|listeners|suspendWhile|suspendAll|bridges|contactFacts)\\.ts$',
          '^ccp/src/(client|contacts)/',
        ],
      },
    },
    {
      name: 'bridges-import-types-of-client-and-contacts',
      severity: 'error',
      from: { path: '^ccp/src/(streams|workspace|status|failures|relay)/' },
      to: { path: '^ccp/src/(client|contacts)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'contract-and-protocol-stand-alone',
      severity: 'error',
      from: { path: '^ccp/src/(contract|protocol)\\.ts$' },
      to: { path: '^ccp/', pathNot: '^ccp/src/protocol\\.ts$' },
    },
    {
      name: 'cloud-imports-shared-only',
      comment: 'the Lambda functions run without the recorder: of it they know the schemas',
      severity: 'error',
      from: { path: '^cloud/' },
      to: { path: '^(main|preload|renderer|ccp|test|scripts)/', pathNot: main('shared') },
    },
    {
      name: 'nothing-imports-cloud',
      severity: 'error',
      from: { path: '^(main|preload|renderer|ccp)/' },
      to: { path: '^cloud/' },
    },
    {
      name: 'lambda-functions-know-no-local-server',
      severity: 'error',
      from: { path: '^cloud/', pathNot: '^cloud/local/' },
      to: { path: '^cloud/local/' },
    },
    {
      name: 'aws-only-behind-ports',
      comment: 'everything else of the cloud side runs without AWS',
      severity: 'error',
      from: {
        path: '^cloud/',
        pathNot: [
          '^cloud/aws/',
          '^cloud/local/server\\.ts$',
          '^cloud/relay/dynamoStore\\.ts$',
          '^cloud/location/store\\.ts$',
        ],
      },
      to: { path: '^node_modules/@(aws-sdk|smithy)/' },
    },
    {
      name: 'review-knows-few-rooms-of-main',
      comment: 'it reads what the recorder has delivered; it never touches the recorder itself',
      severity: 'error',
      from: { path: '^review/' },
      to: {
        path: '^(main|preload|renderer|ccp|cloud|test|scripts)/',
        pathNot: [main('shared|platform|policy|media'), '^main/publisher/(s3/|sink\\.ts$)'],
      },
    },
    {
      name: 'review-page-imports-the-contract-only',
      severity: 'error',
      from: { path: '^review/page/' },
      to: { path: '^(main|preload|renderer|ccp|cloud|test|scripts|review/server)/', pathNot: main('shared') },
    },
    {
      name: 'review-http-knows-the-library-by-its-ports',
      comment: 'index.ts connects both',
      severity: 'error',
      from: { path: '^review/server/http/' },
      to: { path: '^review/server/library/', pathNot: '^review/server/library/ports\\.ts$' },
    },
    {
      name: 'review-is-loaded-by-its-commands-only',
      comment: 'as a bundle of its own: a recorder never loads it. The commands know its types',
      severity: 'error',
      from: { path: '^(main|preload|renderer|ccp|cloud)/', pathNot: '^main/headless/' },
      to: { path: '^review/' },
    },
    {
      name: 'review-commands-import-types-only',
      severity: 'error',
      from: { path: '^main/headless/' },
      to: { path: '^review/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'renderer-imports-shared-only',
      severity: 'error',
      from: { path: '^(renderer|preload)/' },
      to: { path: '^main/', pathNot: main('shared') },
    },
    {
      name: 'one-module-knows-fluent-ffmpeg',
      severity: 'error',
      from: { pathNot: '^main/capture/ffmpegCommand\\.ts$' },
      to: { path: 'fluent-ffmpeg' },
    },
    {
      name: 'the-program-imports-no-tests',
      severity: 'error',
      from: { path: '^(main|preload|renderer|ccp)/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
