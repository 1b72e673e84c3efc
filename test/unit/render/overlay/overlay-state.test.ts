import { describe, expect, it } from 'vitest';
import { OverlayState } from '../../../../src/render/overlay/overlay-state.js';
import {
  anEvent,
  anExplanation,
  anObject,
  aPrediction,
  created,
  objectsAt,
  resolved,
} from '../../cli/terminal/story.js';

describe('OverlayState', () => {
  it('keeps the trail of an object for three seconds and forgets it when the object is gone', () => {
    const state = new OverlayState();
    for (let k = 0; k <= 60; k += 1) {
      state.add(objectsAt(k / 10, [anObject('o1', { box: [k / 100, 0.2, 0.1, 0.3] })]));
    }
    const trail = state.view(6).trails.get('o1')!;
    expect(trail[0]!.t).toBeCloseTo(3);
    expect(trail.at(-1)!.at).toEqual([0.6 + 0.05, 0.5]);
    state.add(objectsAt(6.1, []));
    expect(state.view(6.1).trails.size).toBe(0);
  });

  it('takes the centre of a thing and the feet of a person for the trail', () => {
    const state = new OverlayState();
    state.add(objectsAt(0, [anObject('o1', { label: 'ball', box: [0.2, 0.2, 0.2, 0.2] })]));
    expect(state.view(0).trails.get('o1')![0]!.at[1]).toBeCloseTo(0.3);
  });

  it('tells events newest first with their reasons, and drops them after a while', () => {
    const state = new OverlayState();
    state.add(anEvent('e1', 1));
    state.add(anEvent('e2', 2, { type: 'collide' }));
    state.add(anExplanation('e1', 2));
    const { events } = state.view(3);
    expect(events.map((event) => [event.id, event.text])).toEqual([
      ['e2', 'person #4 collided with person #7'],
      ['e1', 'person #4 met person #7'],
    ]);
    expect(events[1]!.why).toContain('walked towards');
    expect(state.view(16.5).events.map((event) => event.id)).toEqual(['e2']);
  });

  it('follows a prediction from open to its outcome, which stays for three seconds', () => {
    const state = new OverlayState();
    state.add(objectsAt(1, [anObject('o3')]));
    const prediction = aPrediction('p1', 1);
    state.add(created(prediction));
    expect(state.view(1).predictions[0]).toMatchObject({
      text: 'person #3 will leave the view',
      deed: 'leave the view',
      outcome: 'open',
      probability: 0.78,
    });
    state.add(resolved(prediction, 'hit', 2.8));
    expect(state.view(3).predictions[0]).toMatchObject({ text: 'person #3 left the view', outcome: 'hit' });
    expect(state.view(3).tally).toEqual({ hits: 1, misses: 0 });
    expect(state.view(5.9).predictions).toEqual([]);
  });

  it('draws the expected way of moving objects of open predictions, up to the border', () => {
    const state = new OverlayState();
    const moving = anObject('o3', { box: [0.8, 0.3, 0.1, 0.3], velocity: [0.1, 0] });
    state.add(objectsAt(1, [moving, anObject('o4'), anObject('o5', { state: 'standing' })]));
    state.add(created(aPrediction('p1', 1)));
    state.add(created(aPrediction('p2', 1, { event: { type: 'start_moving', participants: ['o5'] } })));
    const { ghosts } = state.view(1);
    expect(ghosts.map((ghost) => ghost.id)).toEqual(['o3']);
    expect(ghosts[0]!.boxes.map((box) => Number(box[0].toFixed(3)))).toEqual([0.85, 0.9, 0.95]);
    state.add(resolved(aPrediction('p1', 1), 'miss', 2));
    expect(state.view(2).ghosts).toEqual([]);
  });

  it('shows open predictions and outcomes in turn', () => {
    const state = new OverlayState();
    for (let i = 0; i < 10; i += 1) {
      state.add(created(aPrediction(`p${i}`, 1, { probability: i / 10 })));
      state.add(resolved(aPrediction(`q${i}`, 1), 'miss', 1));
    }
    const { predictions } = state.view(2);
    expect(predictions.map((one) => one.outcome).slice(0, 4)).toEqual(['open', 'miss', 'open', 'miss']);
    expect(predictions[0]!.id).toBe('p9');
  });

  it('stays bounded whatever comes', () => {
    const state = new OverlayState();
    for (let i = 0; i < 1000; i += 1) {
      state.add(anEvent(`e${i}`, 1));
      state.add(created(aPrediction(`p${i}`, 1)));
    }
    state.add(
      objectsAt(
        1,
        Array.from({ length: 1000 }, (_, i) => anObject(`o${i}`)),
      ),
    );
    const view = state.view(1);
    expect(view.events.length).toBeLessThanOrEqual(8);
    expect(view.predictions.length).toBeLessThanOrEqual(8);
    expect(view.objects.length).toBe(200);
    expect(view.trails.size).toBe(200);
  });

  it('forgets a prediction whose end is never told', () => {
    const state = new OverlayState();
    state.add(created(aPrediction('p1', 1)));
    expect(state.view(8.9).predictions.length).toBe(1);
    expect(state.view(9.1).predictions.length).toBe(0);
  });
});
