// What the rig draws with, added to the types of node-x11 that the program has (main/platform/x11.d.ts).
declare module 'x11' {
  export interface Screen {
    root_depth: number;
    root_visual: number;
  }

  export interface Glyph {
    id: number;
    width: number;
    height: number;
    /** Pen origin to the image's left edge. */
    x: number;
    /** Image's top edge to the baseline. */
    y: number;
    /** Pen advance in 1/64 pixels. */
    offX: number;
    offY: number;
    /** width * height bytes of coverage. */
    image: Buffer;
  }

  /** Red, green, blue, alpha, each 0 to 1. */
  type Colour = readonly [number, number, number, number];

  export interface RenderExtension {
    readonly a8: number;
    readonly PictOp: { readonly Src: number; readonly Over: number };
    findVisualFormat(visual: number): number | undefined;
    CreatePicture(picture: number, drawable: number, format: number): void;
    CreateSolidFill(picture: number, red: number, green: number, blue: number, alpha: number): void;
    LinearGradient(
      picture: number,
      from: readonly [number, number],
      to: readonly [number, number],
      stops: readonly (readonly [number, Colour])[],
    ): void;
    FreePicture(picture: number): void;
    FillRectangles(op: number, picture: number, colour: Colour, rects: readonly number[]): void;
    Composite(
      ...opSrcMaskDstSrcXYMaskXYDstXYWidthHeight: readonly [
        ...[number, number, number, number],
        ...[number, number, number, number, number, number, number, number],
      ]
    ): void;
    CreateGlyphSet(glyphSet: number, format: number): void;
    AddGlyphs(glyphSet: number, glyphs: Glyph[]): void;
    CompositeGlyphs8(
      op: number,
      source: number,
      destination: number,
      maskFormat: number,
      glyphSet: number,
      sourceX: number,
      sourceY: number,
      runs: readonly (readonly [number, number, string])[],
    ): void;
  }

  export interface Client {
    WarpPointer(
      ...sourceDestinationXYWidthHeightXY: readonly [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ]
    ): void;
    AllocID(): number;
    CreateWindow(
      ...idParentXYWidthHeightBorderDepthClassVisual: readonly [
        ...[number, number, number, number, number, number, number, number, number, number],
        values: Record<string, number | boolean>,
      ]
    ): void;
    MapWindow(window: number): void;
    UnmapWindow(window: number): void;
    DestroyWindow(window: number): void;
    InternAtom(onlyIfExists: boolean, name: string, done: Callback<number>): void;
    ChangeProperty(
      mode: number,
      window: number,
      property: number,
      type: number,
      bits: 8 | 16 | 32,
      values: readonly number[],
    ): void;
    ConfigureWindow(window: number, values: { x: number; y: number; width: number; height: number }): void;
    FreePixmap(pixmap: number): void;
    CreatePixmap(pixmap: number, drawable: number, depth: number, width: number, height: number): void;
    CreateGC(gc: number, drawable: number, values: Record<string, number>): void;
    CopyArea(
      ...fromToGcFromXYToXYWidthHeight: readonly [
        ...[number, number, number],
        ...[number, number, number, number, number, number],
      ]
    ): void;
    OpenFont(font: number, name: string): void;
    CreateGlyphCursor(
      cursor: number,
      sourceFont: number,
      maskFont: number,
      sourceChar: number,
      maskChar: number,
      foreground: { R: number; G: number; B: number },
      background: { R: number; G: number; B: number },
    ): void;
    /** Resolves once the server has processed everything sent so far. */
    sync(): Promise<void>;
    require(name: 'render', callback: (error: Error | null, extension: RenderExtension) => void): void;
  }

  export interface EventMasks {
    readonly Exposure: number;
  }

  export interface X11 {
    createClient(
      options: { display: string; bufferRequests?: boolean | { maxSize: number }; shm?: false },
      callback: (error: Error | undefined, display: Display) => void,
    ): Client;
  }
}
