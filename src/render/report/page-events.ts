import type { ChainStep, Explanation } from '../../core/messages.js';
import { mediaTime, observedClause, percent } from '../wording.js';
import { html, type SafeHtml } from './html.js';
import type { ReportData, ReportedEvent } from './report-data.js';
import type { ThumbnailStore } from './thumbnail-store.js';
import { THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH, type Thumbnail } from './thumbnails.js';
import { typeName } from './page-timeline.js';

/** Every event with its picture, and why it happened. */
export function eventsSection(data: ReportData, thumbnails: ThumbnailStore): SafeHtml {
  const events = data.eventsByTime();
  const types = [...new Set(events.map((one) => one.event.type))].sort();
  return html`<section id="events">
    <h2>What happened</h2>
    <form class="filters" hidden>
      <input type="search" placeholder="Search: person #4, met, gate…" aria-label="Search events" />
      <select name="type" aria-label="Kind of event">
        <option value="">all kinds</option>
        ${types.map((type) => html`<option value="${type}">${typeName(type)}</option>`)}
      </select>
      <output></output>
    </form>
    ${
      events.length === 0
        ? html`<p class="dim">No events were observed.</p>`
        : html`<ol class="items">
            ${events.map((one, index) => eventItem(one, index, data, thumbnails))}
          </ol>`
    }
    ${data.leftOut.events > 0 && html`<p class="note">${data.leftOut.events} later events are left out of this page; the message file has them all.</p>`}
  </section>`;
}

function eventItem(
  reported: ReportedEvent,
  index: number,
  data: ReportData,
  thumbnails: ThumbnailStore,
): SafeHtml {
  const { event, explanation } = reported;
  const thumbnail = thumbnails.get(`event ${event.id}`);
  const clause = observedClause(event);
  const until =
    event.to === undefined ? undefined : html`<span class="badge">until ${mediaTime(event.to)}</span>`;
  return html`<li class="item${thumbnail ? '' : ' plain'}" id="event-${index + 1}" data-type="${event.type}">
    ${thumbnail && picture(thumbnail, clause)}
    <div>
      <div class="head">
        <span class="time">${mediaTime(event.t)}</span>
        <h3>${clause}</h3>
        <span class="badge">${typeName(event.type)}</span>
        ${until}
        ${event.confidence < 0.5 && html`<span class="badge warn">unsure, ${percent(event.confidence)}</span>`}
      </div>
      ${explanation && why(explanation, data)}
    </div>
  </li>`;
}

/** A thumbnail with its text alternative. */
export function picture(thumbnail: Thumbnail, text: string): SafeHtml {
  return html`<img
    src="data:image/jpeg;base64,${thumbnail.data}"
    width="${THUMBNAIL_WIDTH}"
    height="${THUMBNAIL_HEIGHT}"
    alt="Picture at ${mediaTime(thumbnail.t)}: ${text}"
  />`;
}

function why(explanation: Explanation, data: ReportData): SafeHtml {
  const { chain, causes, verified, by } = explanation;
  const more = chain.length + causes.length > 0;
  return html`<p class="why">${explanation.text}</p>
    ${
      more &&
      html`<details>
        <summary>
          ${chain.length > 0 ? `${chain.length} ${chain.length === 1 ? 'step' : 'steps'} that led to it` : 'What it hung on'}
        </summary>
        ${
          chain.length > 0 &&
          html`<ol class="chain">
            ${chain.map((one) => step(one))}
          </ol>`
        }
        ${causes.map(
          (cause) =>
            html`<p class="dim">
              ${data.names.phrase(cause.object)} mattered with ${percent(cause.probability)}:
              ${cause.counterfactual}
            </p>`,
        )}
        <p class="dim small">Confidence ${percent(explanation.confidence)} · by ${by.backend}, ${by.model}</p>
      </details>`
    }
    ${
      !verified.ok &&
      html`<p class="small miss">
        Not all of this could be
        verified${verified.problems.length > 0 ? `: ${verified.problems.join('; ')}` : ''}.
      </p>`
    }`;
}

function step(one: ChainStep): SafeHtml {
  const time =
    one.to - one.from < 0.05 ? mediaTime(one.from) : `${mediaTime(one.from)} to ${mediaTime(one.to)}`;
  return html`<li>${one.text} <span class="dim small">${time}</span></li>`;
}
