/**
 * Presage as a library. `openAgent` runs the video agent in this process, `analyze` goes through a recording, and the exported
 * interfaces are those of custom sources, perceptions, experts, explainers and sinks.
 */
export { openAgent, type AgentStream, type EmbeddedAgent } from './agent/embedded-agent.js';
export type { AgentOptions, StreamOptions } from './agent/agent-options.js';
export { analyze, type AnalyzeOptions } from './agent/analyze.js';
export type { Filter, Flows } from './agent/flows.js';
export type { Flow, FlowIterator, FlowOptions, Observer, Subscription } from './client/flow.js';
export type * from './client/types.js';
export { PresageError, type ErrorCode } from './core/errors.js';
export type { Source, SourceState, SourceStats, VideoFormat } from './core/source.js';
export { FramePool, i420Layout, type Frame, type FrameMeta, type I420Layout } from './core/video/frame.js';
export type {
  Detection,
  Effort,
  Percept,
  Perception,
  PerceptionInfo,
  StreamPerception,
} from './core/percept.js';
export type { MemorySnapshot, ObjectRecord, ObjectSample, Places } from './core/memory.js';
export type { Explainer } from './core/reasoner.js';
export type { Expert } from './reasoner/forecast/expert.js';
export { itemKey } from './reasoner/forecast/learning.js';
export type { DraftSink as Sink } from './service/session/draft-sink.js';
export * from './core/messages.js';
