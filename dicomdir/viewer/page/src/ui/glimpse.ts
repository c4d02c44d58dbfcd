/** The first image as MANIFEST.JS brought it: on the screen before this program was there. */
import type { Viewport } from "../view/viewport.ts";

/**
 * Have it stand in a viewport until something is shown there, or it is said why nothing is.
 *
 * @returns How to take it away before.
 */
export function keepGlimpse(viewport: Viewport): () => void {
  const picture = window.SENDHOME_EARLY?.glimpse;
  if (!picture) return () => undefined;
  picture.removeAttribute("style");
  picture.className = "glimpse";
  // Over the canvases, which are black until there is an image on them; under the texts.
  viewport.element.querySelector(".vp-graphics")!.after(picture);
  const stop = viewport.on((_, change) => {
    // In the picture of the screen that has the image itself.
    if (change === "picture") requestAnimationFrame(remove);
  });
  function remove() {
    stop();
    picture!.remove();
  }
  return remove;
}
