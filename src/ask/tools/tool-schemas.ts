import { z } from 'zod';
import { inspectionArgumentsSchema } from '../../core/inspection.js';
import { EVENT_TYPES } from '../../core/ontology.js';

const seconds = z.number().min(0);
const span = {
  from: seconds.optional().describe('media time, s; the beginning when left out'),
  to: seconds.optional().describe('media time, s; now when left out'),
};
const objectId = z
  .string()
  .regex(/^(?:o|#)\d{1,9}$/)
  .transform((id) => id.replace('#', 'o'));

/** What the reasoner may ask of memory and video: one name, one schema and one description each. */
export const TOOLS = {
  timeline: {
    description: 'Events that memory holds, in order of time: of a span, an object, a type.',
    schema: z.strictObject({
      ...span,
      object: objectId.optional().describe('an object such as #3 that took part'),
      type: z.enum(EVENT_TYPES).optional(),
    }),
  },
  search: {
    description: 'Objects, events and summaries of memory that fit words or a label, best first.',
    schema: z
      .strictObject({
        words: z
          .string()
          .trim()
          .min(1)
          .max(200)
          .optional()
          .describe('words to find, such as "red car stopped"'),
        label: z.string().trim().min(1).max(40).optional().describe('what the object is, such as person'),
        ...span,
      })
      .refine(
        ({ words, label }) => words !== undefined || label !== undefined,
        'give words, a label or both',
      ),
  },
  relations: {
    description: 'What held between an object and others, and when: near, touching, carrying, following.',
    schema: z.strictObject({ object: objectId.describe('an object such as #3'), ...span }),
  },
  look_again: {
    description:
      'Looks at the recent video again in full resolution, at a moment (t) or a span (from, to), in a region or all of ' +
      'the frame: finds small things and things that were missed.',
    schema: inspectionArgumentsSchema,
  },
} as const;

export type ToolName = keyof typeof TOOLS;
export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[];

/** A tool as a function of the chat-completions API. */
export interface ToolFunction {
  readonly type: 'function';
  readonly function: {
    readonly name: ToolName;
    readonly description: string;
    /** JSON schema. */
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

export function toolFunctions(names: readonly ToolName[]): ToolFunction[] {
  return names.map((name) => {
    const { description, schema } = TOOLS[name];
    const parameters: Record<string, unknown> = { ...z.toJSONSchema(schema, { io: 'input' }) };
    delete parameters['$schema'];
    return { type: 'function', function: { name, description, parameters } };
  });
}
