/** Which room may import from which: docs/architecture.md, "Layers". */
const STAGES = ['ingest', 'model', 'memory', 'transport', 'ask'];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
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
      name: 'only-cli-is-the-top',
      severity: 'error',
      from: { path: '^src/(?!(render|service|cli)/|index\\.ts$)' },
      to: { path: '^src/(render|service|cli)/' },
    },
    {
      name: 'the-page-imports-client-and-core',
      comment: 'What runs in browsers: the client, and what of core needs no Node.',
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
