// On every page. Each module waits for its own attribute, so a page only has to write HTML.
import "./shell.js";
import "./dialog.js";
import "./confirm.js";
import "./menu.js";
import "./tip.js";
import "./popover.js";
import "./toast.js";
import "./shortcuts.js";
import "./palette.js";
import "./listed.js";
import "./session.js";
import "./counts.js";
