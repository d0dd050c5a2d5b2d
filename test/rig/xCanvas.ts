// Drawing on an X display for the rig's scenes. Everything is drawn into server-side surfaces, and a finished
// rectangle is shown with one CopyArea: a grabber, whose reading is one request too, sees all of it or nothing.
import x11, { type Client, type Display, type RenderExtension } from 'x11';
import type { Rect } from './timecode.ts';
import { drawFonts, type FontSpec } from './xFont.ts';

/** 0xRRGGBB. */
export type Colour = number;

/** A font that the server has. Make it once with Canvas.fonts. */
export interface Font {
  readonly size: number;
  readonly glyphSet: number;
  readonly glyphs: ReadonlyMap<string, { id: number; advance: number }>;
}

/** Pixels that the text takes from left to right. */
export function textWidth(font: Font, text: string): number {
  let width = 0;
  for (const letter of text) width += (font.glyphs.get(letter) ?? font.glyphs.get(' '))?.advance ?? 0;
  return width;
}

function channels(colour: Colour): [number, number, number, number] {
  return [((colour >> 16) & 255) / 255, ((colour >> 8) & 255) / 255, (colour & 255) / 255, 1];
}

/** An off-screen picture on the server. */
export class Surface {
  constructor(
    private readonly canvas: Canvas,
    readonly width: number,
    readonly height: number,
    /** @internal X ids */
    readonly pixmap: number,
    private readonly picture: number,
  ) {}

  fill(colour: Colour, ...rects: Rect[]): void {
    const { render } = this.canvas;
    const list = rects.flatMap((r) => [r.x, r.y, r.width, r.height]);
    if (list.length > 0) render.FillRectangles(render.PictOp.Src, this.picture, channels(colour), list);
  }

  /** One colour at the top, another at the bottom. */
  gradient(rect: Rect, top: Colour, bottom: Colour): void {
    const { render, client } = this.canvas;
    const gradient = client.AllocID();
    render.LinearGradient(
      gradient,
      [0, 0],
      [0, rect.height],
      [
        [0, channels(top)],
        [1, channels(bottom)],
      ],
    );
    const { x, y, width, height } = rect;
    render.Composite(render.PictOp.Src, gradient, 0, this.picture, 0, 0, 0, 0, x, y, width, height);
    render.FreePicture(gradient);
  }

  /** Writes from x to the right, on the baseline y. Letters that the font does not have are left out. */
  text(font: Font, x: number, y: number, text: string, colour: Colour): void {
    const { render } = this.canvas;
    const ids = Array.from(text, (letter) => font.glyphs.get(letter)?.id ?? font.glyphs.get(' ')?.id ?? 1);
    const source = this.canvas.solid(colour);
    // A run holds at most 254 letters; the pen stays where the run before it ended.
    const runs: [number, number, string][] = [];
    for (let i = 0; i < ids.length; i += 250) {
      const run = String.fromCharCode(...ids.slice(i, i + 250));
      runs.push(i === 0 ? [Math.round(x), Math.round(y), run] : [0, 0, run]);
    }
    render.CompositeGlyphs8(render.PictOp.Over, source, this.picture, 0, font.glyphSet, 0, 0, runs);
  }

  free(): void {
    this.canvas.render.FreePicture(this.picture);
    this.canvas.client.FreePixmap(this.pixmap);
  }

  /** Copies a rectangle from another surface, or from this one (scrolling). */
  copy(from: Surface, source: Rect, x: number, y: number): void {
    this.canvas.copyArea(from.pixmap, this.pixmap, source, x, y);
  }
}

export class Canvas {
  readonly render: RenderExtension;
  readonly client: Client;
  width: number;
  height: number;
  private readonly window: number;
  private readonly gc: number;
  private readonly solids = new Map<Colour, number>();
  private readonly fontsMade = new Map<string, Font>();
  private readonly format: number;
  private shown: Surface | undefined;

  private constructor(
    private readonly x: Display,
    render: RenderExtension,
    area: Rect,
  ) {
    const client = (this.client = x.client);
    this.render = render;
    this.width = area.width;
    this.height = area.height;
    const { root, root_visual: visual } = x.screen[0]!;
    this.format = render.findVisualFormat(visual)!;
    this.window = client.AllocID();
    const cursorFont = client.AllocID();
    const cursor = client.AllocID();
    client.OpenFont(cursorFont, 'cursor');
    // 68 and its mask: the arrow. The server's own is a black cross, unlike any desktop.
    client.CreateGlyphCursor(cursor, cursorFont, cursorFont, 68, 69, grey(0), grey(0xffff));
    // Override-redirect: no window manager may move it or put a frame around it. No background: nothing is seen
    // before the first picture is ready.
    client.CreateWindow(this.window, root, area.x, area.y, area.width, area.height, 0, 0, 0, 0, {
      overrideRedirect: true,
      eventMask: x11.eventMask.Exposure,
      cursor,
    });
    this.gc = client.AllocID();
    client.CreateGC(this.gc, this.window, { graphicsExposures: 0 });
    // Other windows come and go over ours; what they uncover has to be drawn again by us.
    client.on('event', (event: { name: string } & Rect) => {
      if (event.name === 'Expose' && this.shown) this.show(this.shown, event);
    });
  }

  /** Connects and makes a window over `area` (the whole screen unless told); it appears with the first show. */
  static async open(display: string, area?: Rect): Promise<Canvas> {
    const x = await new Promise<Display>((resolve, reject) => {
      // shm: false - we never send pixels, and node-x11 would reach for node's internals to be able to.
      x11.createClient({ display, bufferRequests: { maxSize: 65536 }, shm: false }, (error, connected) => {
        if (error) reject(new Error(`no X server answers on ${display}: ${error.message}`));
        else resolve(connected);
      });
    });
    const render = await new Promise<RenderExtension>((resolve, reject) => {
      x.client.require('render', (error, extension) => (error ? reject(error) : resolve(extension)));
    });
    const { pixel_width: width, pixel_height: height } = x.screen[0]!;
    return new Canvas(x, render, area ?? { x: 0, y: 0, width, height });
  }

  surface(width = this.width, height = this.height): Surface {
    const [pixmap, picture] = [this.client.AllocID(), this.client.AllocID()];
    this.client.CreatePixmap(pixmap, this.window, this.x.screen[0]!.root_depth, width, height);
    this.render.CreatePicture(picture, pixmap, this.format);
    return new Surface(this, width, height, pixmap, picture);
  }

  /** Puts the window elsewhere and makes it of another size; what it shows is next shown anew. */
  place({ x, y, width, height }: Rect): void {
    this.width = width;
    this.height = height;
    this.client.ConfigureWindow(this.window, { x, y, width, height });
    this.shown = undefined;
  }

  /** Takes the window off the screen until the next show. */
  hide(): void {
    this.client.UnmapWindow(this.window);
    this.shown = undefined;
  }

  async fonts<Name extends string>(specs: Record<Name, FontSpec>): Promise<Record<Name, Font>> {
    const all = Object.keys(specs) as Name[];
    const keyOf = (name: Name): string => JSON.stringify(specs[name]);
    await this.makeFonts(
      all.filter((name) => !this.fontsMade.has(keyOf(name))),
      specs,
      keyOf,
    );
    return Object.fromEntries(all.map((name) => [name, this.fontsMade.get(keyOf(name))!])) as Record<
      Name,
      Font
    >;
  }

  private async makeFonts<Name extends string>(
    names: Name[],
    specs: Record<Name, FontSpec>,
    keyOf: (name: Name) => string,
  ): Promise<void> {
    if (names.length === 0) return;
    const drawn = await drawFonts(names.map((name) => specs[name]));
    names.forEach((name, n) => {
      const glyphSet = this.client.AllocID();
      this.render.CreateGlyphSet(glyphSet, this.render.a8);
      const glyphs = new Map<string, { id: number; advance: number }>();
      const upload = [...drawn[n]!].map(([letter, shape], i) => {
        // Byte-sized ids of our own, so that a letter costs a byte on the wire; none is 0, which ends no string here
        // but is easily mistaken for it.
        const id = i + 1;
        glyphs.set(letter, { id, advance: shape.advance });
        const { width, height, image, left, top, advance } = shape;
        return { id, width, height, image, x: left, y: top, offX: advance * 64, offY: 0 };
      });
      this.render.AddGlyphs(glyphSet, upload);
      this.fontsMade.set(keyOf(name), { size: specs[name].size, glyphSet, glyphs });
    });
  }

  /** Shows a rectangle of the surface, all at once. The first call shows the window. */
  show(surface: Surface, rect: Rect = { x: 0, y: 0, width: this.width, height: this.height }): void {
    if (!this.shown) this.client.MapWindow(this.window);
    this.shown = surface;
    this.copyArea(surface.pixmap, this.window, rect, rect.x, rect.y);
  }

  /** Resolves when the server has done everything asked of it so far: what was shown can be grabbed. */
  sync(): Promise<void> {
    return this.client.sync();
  }

  /** Resolves with the reason when the connection is gone, or the server refused a request. */
  failed(): Promise<string> {
    return new Promise((resolve) => {
      this.client.on('end', () => resolve('the X server closed the connection'));
      this.client.on('error', (error: Error) =>
        resolve(`the X server or its socket failed: ${error.message}`),
      );
    });
  }

  /** @internal */
  solid(colour: Colour): number {
    let picture = this.solids.get(colour);
    if (picture === undefined) {
      picture = this.client.AllocID();
      this.render.CreateSolidFill(picture, ...channels(colour));
      this.solids.set(colour, picture);
    }
    return picture;
  }

  /** @internal */
  copyArea(from: number, to: number, source: Rect, x: number, y: number): void {
    this.client.CopyArea(from, to, this.gc, source.x, source.y, x, y, source.width, source.height);
  }
}

function grey(level: number): { R: number; G: number; B: number } {
  return { R: level, G: level, B: level };
}
