import { describe, expect, it } from 'vitest';
import { encodeMask } from '../../../../src/core/image/mask.js';
import { overlayLayout } from '../../../../src/render/overlay/overlay-layout.js';
import { OverlayState } from '../../../../src/render/overlay/overlay-state.js';
import { OverlayPainter, outputFps } from '../../../../src/render/video/video-renderer.js';
import { colorOf } from '../../../../src/core/image/object-colors.js';
import { anObject, objectsAt, story } from '../../cli/terminal/story.js';
import { plainFrame } from './frames.js';

describe('overlayLayout', () => {
  it.each([
    [1, 1],
    [17, 33],
    [321, 241],
    [320, 240],
    [768, 576],
    [1080, 1920],
    [1919, 1079],
    [1920, 1080],
    [3840, 2160],
  ])('gives even sizes that hold the whole picture of %i x %i', (width, height) => {
    const layout = overlayLayout(width, height);
    expect([layout.width % 2, layout.height % 2]).toEqual([0, 0]);
    expect(layout.width).toBeGreaterThanOrEqual(Math.max(layout.picture.width, 16));
    expect(layout.width).toBeLessThanOrEqual(1920);
    expect(layout.height).toBeGreaterThanOrEqual(layout.picture.height + (layout.panel?.height ?? 0));
  });
  it('leaves out the words where there is no room for them', () => {
    expect(overlayLayout(40, 40).panel).toBeUndefined();
    expect(overlayLayout(240, 135).panel?.height).toBeGreaterThan(0);
  });
});

describe('OverlayPainter', () => {
  it('draws a box in the colour of its object where it belongs, and leaves the rest of the picture alone', () => {
    const painter = new OverlayPainter({ width: 768, height: 576 });
    const state = new OverlayState();
    state.add(objectsAt(0, [anObject('o4', { box: [0.5, 0.25, 0.25, 0.5], velocity: [0, 0] })]));
    using frame = plainFrame(768, 576, 0);
    const rgba = painter.paint(frame, state.view(0));
    const { width, height } = painter.layout;
    expect(rgba.length).toBe(width * height * 4);
    const at = (x: number, y: number): string =>
      `#${rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).toString('hex')}`;
    expect(at(384, 300)).toBe(colorOf('o4'));
    expect(at(576, 300)).toBe(colorOf('o4'));
    expect(at(480, 144)).toBe(colorOf('o4'));
    expect(at(480, 432)).toBe(colorOf('o4'));
    expect(at(480, 300)).toBe('#808080');
    expect(at(100, 100)).toBe('#808080');
    expect(at(2, height - 2)).toBe('#10151d');
  });

  it('draws the shape of an object that has one in place of its box', () => {
    const painter = new OverlayPainter({ width: 768, height: 576 });
    const state = new OverlayState();
    const [width, height, side] = [96, 72, 24];
    const region = { left: 48, top: 18, width: side, height: side, inside: new Uint8Array(side * side) };
    // The lower left half of a square, up to its diagonal.
    for (let y = 0; y < side; y++) region.inside.fill(1, y * side, y * side + y + 1);
    const { size, counts } = encodeMask([height, width], region);
    const mask = { size: [...size] as [number, number], counts };
    const box = [0.5, 0.25, 0.25, 1 / 3] as [number, number, number, number];
    state.add(objectsAt(0, [anObject('o4', { box, velocity: [0, 0], mask })]));
    using frame = plainFrame(768, 576, 0);
    const rgba = painter.paint(frame, state.view(0));
    const at = (x: number, y: number): string =>
      `#${rgba.subarray((y * painter.layout.width + x) * 4, (y * painter.layout.width + x) * 4 + 3).toString('hex')}`;
    expect(at(384, 250)).toBe(colorOf('o4'));
    expect(at(450, 336)).toBe(colorOf('o4'));
    expect(at(575, 200)).toBe('#808080');
    expect(at(500, 200)).toBe('#808080');
    expect(at(420, 300)).not.toBe('#808080');
  });

  it('is opaque and gives the same bytes for the same input', () => {
    const paint = (): Buffer => {
      const painter = new OverlayPainter({ width: 321, height: 181 });
      const state = new OverlayState();
      for (const draft of story()) state.add(draft);
      using frame = plainFrame(321, 181, 16);
      return painter.paint(frame, state.view(16));
    };
    const rgba = paint();
    expect(rgba.every((value, index) => index % 4 !== 3 || value === 255)).toBe(true);
    expect(rgba.equals(paint())).toBe(true);
  });

  it.each([
    [1, 1],
    [2, 1],
    [33, 17],
  ])('manages a picture of %i x %i', (width, height) => {
    const painter = new OverlayPainter({ width, height });
    const state = new OverlayState();
    for (const draft of story()) state.add(draft);
    using frame = plainFrame(width, height, 16);
    expect(painter.paint(frame, state.view(16)).length).toBe(
      painter.layout.width * painter.layout.height * 4,
    );
  });
});

describe('outputFps', () => {
  it('has a default for an unknown rate and a limit for an absurd one', () => {
    expect([0, NaN, 10, 29.97, 1000].map(outputFps)).toEqual([25, 25, 10, 29.97, 60]);
  });
});
