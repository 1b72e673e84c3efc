/** Which folder may import from which: docs/architecture.md, "Layers". */
const STAGES = ['ingest', 'model', 'memory', 'transport', 'ask'];

/**
 * Folders inside src/service and src/cli, each with the folders of the same parent that it may import. A folder may import
 * only folders listed before it, so that cycles between folders cannot arise.
 */
const INNER_FOLDERS = {
  'src/service': {
    'recent-video': [],
    session: [],
    clips: [],
    outputs: [],
    server: [],
    evidence: ['recent-video', 'session'],
    dashboard: ['recent-video', 'session'],
    recording: ['recent-video', 'session'],
    streams: ['session'],
    ask: ['session'],
    webrtc: ['streams'],
  },
  'src/cli': {
    options: [],
    terminal: [],
    commands: ['options', 'terminal'],
  },
};

/** Files beside those folders that put the parts together: no folder imports them. */
const COMPOSITION = {
  'src/service': 'service|service-options|stream-factory|storage|metrics',
  'src/cli': 'main|cli',
};

function innerRules() {
  return Object.entries(INNER_FOLDERS).flatMap(([parent, folders]) =>
    Object.entries(folders).flatMap(([folder, allowed]) => {
      const others = [folder, ...allowed].join('|');
      const from = { path: `^${parent}/${folder}/` };
      return [
        {
          name: `${folder}-of-${parent.slice(4)}-imports-only-listed-folders`,
          severity: 'error',
          from,
          to: { path: `^${parent}/(?!(${others})/)[^/]+/` },
        },
        {
          name: `${folder}-of-${parent.slice(4)}-imports-no-composition`,
          severity: 'error',
          from,
          to: { path: `^${parent}/(${COMPOSITION[parent]})\\.ts$` },
        },
      ];
    }),
  );
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-inner-folder-has-a-rule',
      comment: 'Add a new folder to INNER_FOLDERS.',
      severity: 'error',
      from: {
        path: Object.keys(INNER_FOLDERS).map((parent) => `^${parent}/[^/]+/`),
        pathNot: Object.entries(INNER_FOLDERS).map(
          ([parent, folders]) => `^${parent}/(${Object.keys(folders).join('|')})/`,
        ),
      },
      to: {},
    },
    ...innerRules(),
    {
      name: 'core-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/(?!core/)' },
    },
    ...STAGES.map((stage) => ({
      name: `${stage}-imports-only-core`,
      severity: 'error',
      from: { path: `^src/${stage}/` },
      to: { path: `^src/(?!(core|${stage})/)` },
    })),
    {
      name: 'reasoner-imports-core-and-ask',
      severity: 'error',
      from: { path: '^src/reasoner/' },
      to: { path: '^src/(?!(core|ask|reasoner)/)' },
    },
    {
      name: 'client-imports-only-core',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/(?!(core|client)/)' },
    },
    {
      name: 'client-runs-in-browsers',
      severity: 'error',
      from: { path: '^src/client/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'pipeline-joins-through-core',
      severity: 'error',
      from: { path: '^src/pipeline/' },
      to: { path: '^src/(?!(core|pipeline)/)' },
    },
    {
      name: 'render-imports-only-core',
      severity: 'error',
      from: { path: '^src/render/' },
      to: { path: '^src/(?!(core|render)/)' },
    },
    {
      name: 'nothing-imports-cli',
      severity: 'error',
      from: { path: '^src/(?!cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'service-is-below-the-library',
      severity: 'error',
      from: { path: '^src/service/' },
      to: { path: '^src/(agent|client|cli|index)' },
    },
    {
      name: 'only-service-agent-and-cli-import-services',
      severity: 'error',
      from: { path: '^src/(?!(render|service|agent|cli)/|index\\.ts$)' },
      to: { path: '^src/(render|service|agent|cli)/' },
    },
    {
      name: 'the-page-imports-client-and-core',
      comment: 'The page runs in browsers: it may use the client and the parts of core that need no Node.',
      severity: 'error',
      from: { path: '^demo/' },
      to: { path: '^(src/(?!(client|core)/)|test/|bench/)' },
    },
    {
      name: 'one-doorway-to-onnxruntime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/model/runtime/ort\\.ts$' },
      to: { path: 'onnxruntime-node' },
    },
    {
      name: 'one-doorway-to-wrtc',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ingest/webrtc/wrtc\\.ts$' },
      to: { path: '@roamhq/wrtc' },
    },
    {
      name: 'one-doorway-to-mediasoup',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ingest/mediasoup/mediasoup\\.ts$' },
      to: { path: 'node_modules/mediasoup' },
    },
    {
      name: 'no-test-code-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'mediasoup is an optional peer dependency, and a dev dependency for the tests.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer'],
        pathNot: 'node_modules/mediasoup/',
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: 'ffmpeg-static|mediasoup' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'dist'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
