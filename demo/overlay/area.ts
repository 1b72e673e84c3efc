/** Size of the canvas, CSS px. */
export interface Area {
  readonly width: number;
  readonly height: number;
}
