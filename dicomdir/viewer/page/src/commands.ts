/**
 * Everything a person can do, in one list: keys, buttons and the list of keys are made of it.
 * A command's words are "command.<id>" in LANG.JS.
 */
import type { App } from "./app.ts";

export interface Command {
  id: string;
  /** Where buttons and the list of keys put it: "image", "tool", "layout", "page" … */
  group: string;
  /** As KeyboardEvent.key says, with "Shift+", "Ctrl+", "Alt+" before it; letters in lower case. */
  keys: readonly string[];
  run(app: App): void;
  /** Whether it is switched on, of commands that are a switch. */
  isOn?(app: App): boolean;
  /** Missing: always. */
  isEnabled?(app: App): boolean;
  /** A button is shown for it, with the picture of this name. */
  icon?: string;
}

export class Commands {
  private readonly all = new Map<string, Command>();
  private readonly byKey = new Map<string, Command>();

  add(...commands: Command[]): void {
    for (const command of commands) {
      if (this.all.has(command.id)) throw new Error(`two commands are called ${command.id}`);
      this.all.set(command.id, command);
      for (const key of command.keys) {
        if (this.byKey.has(key)) throw new Error(`two commands have the key ${key}`);
        this.byKey.set(key, command);
      }
    }
  }

  get(id: string): Command | undefined {
    return this.all.get(id);
  }

  list(): Command[] {
    return [...this.all.values()];
  }

  run(id: string, app: App): void {
    const command = this.all.get(id);
    if (command && (command.isEnabled?.(app) ?? true)) command.run(app);
  }

  /** Keys of the page; those typed into a field or meant for a dialog stay there. */
  listen(app: App): void {
    document.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || isTyping(event.target, event.key)) return;
      const command = this.byKey.get(keyOf(event));
      if (!command || !(command.isEnabled?.(app) ?? true)) return;
      event.preventDefault();
      command.run(app);
    });
  }
}

export function keyOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/.test(key)) ? "Shift+" : "";
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${ctrl}${event.altKey ? "Alt+" : ""}${shift}${key}`;
}

function isTyping(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog, [role=dialog], [role=menu]")) return true;
  // On a button, Enter and the space bar press it.
  if (/^(Enter| )$/.test(key) && target.closest("button, a, summary")) return true;
  return /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable;
}
