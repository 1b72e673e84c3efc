import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Answer } from '../../../src/client/index.js';
import type { StreamModel } from '../../state/stream-model.js';
import { clock, percent } from '../../state/words.js';
import { usePage } from '../context.js';
import { textOf } from './places-panel.js';

const EXAMPLES = ['Who is here now?', 'What happened in the last minute?', 'Who came in last?'];
const MAX_TURNS = 12;

interface Turn {
  readonly question: string;
  readonly answer: Answer | undefined;
  readonly error: string | undefined;
}

const turnsOf = new WeakMap<StreamModel, readonly Turn[]>();

/** Questions about what memory holds. */
export function AskPanel({ model }: { readonly model: StreamModel }): ComponentChild {
  const { service } = usePage();
  const [turns, setTurns] = useState(turnsOf.get(model) ?? []);
  const [question, setQuestion] = useState('');
  const [busy, setBusy] = useState(false);
  const ask = async (text: string): Promise<void> => {
    if (text.trim() === '' || busy) return;
    setBusy(true);
    setQuestion('');
    const turn = await service.http.ask(model.id, text).then(
      (answer): Turn => ({ question: text, answer, error: undefined }),
      (error: unknown): Turn => ({ question: text, answer: undefined, error: textOf(error) }),
    );
    const all = [turn, ...turns].slice(0, MAX_TURNS);
    turnsOf.set(model, all);
    setTurns(all);
    setBusy(false);
  };
  return (
    <div class="ask">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask(question);
        }}
      >
        <label class="hidden" for="question">
          Question about {model.id}
        </label>
        <input
          id="question"
          value={question}
          maxLength={500}
          placeholder="Ask about what was seen"
          autocomplete="off"
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
        <button class="primary" disabled={busy}>
          Ask
        </button>
      </form>
      <Examples onChoose={(example) => void ask(example)} />
      <ol class="turns" aria-live="polite">
        {turns.map((turn, index) => (
          <li key={turns.length - index}>
            <p class="question">{turn.question}</p>
            {turn.answer ? (
              <Answered answer={turn.answer} model={model} />
            ) : (
              <p class="note bad">{turn.error}</p>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Examples({ onChoose }: { readonly onChoose: (example: string) => void }): ComponentChild {
  return (
    <div class="examples">
      {EXAMPLES.map((example) => (
        <button key={example} class="quiet" onClick={() => onChoose(example)}>
          {example}
        </button>
      ))}
    </div>
  );
}

function Answered({
  answer,
  model,
}: {
  readonly answer: Answer;
  readonly model: StreamModel;
}): ComponentChild {
  const { view } = usePage();
  return (
    <>
      <p class="answer">{answer.text}</p>
      <p class="meta">
        certain to {percent(answer.confidence)}
        {answer.evidence.slice(0, 4).map(({ objects, events, from }, index) => (
          <button
            key={index}
            class="link"
            onClick={() => {
              view.light(objects);
              view.selectEvent(events[0], from);
            }}
          >
            {objects
              .slice(0, 3)
              .map((id) => model.phrase(id))
              .join(', ') || 'then'}{' '}
            at {clock(from)}
          </button>
        ))}
      </p>
    </>
  );
}
