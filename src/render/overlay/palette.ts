/** Colours of the annotated video, except those of objects. */
export const INK = {
  panel: '#10151d',
  panelEdge: '#263041',
  text: '#eef2f7',
  dim: '#93a1b5',
  faint: '#5b6a80',
  hit: '#3ddc84',
  miss: '#ff5d5d',
  open: '#58a6ff',
  shade: 'rgba(8, 11, 16, 0.72)',
  dark: '#0b0f15',
} as const;
