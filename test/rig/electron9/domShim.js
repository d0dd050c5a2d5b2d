// What Chromium 83 lacks of the DOM. Goes before the pages' scripts as it is, so in words that it understands.
if (Element.prototype.replaceChildren === undefined)
  Element.prototype.replaceChildren = function (...nodes) {
    this.textContent = '';
    this.append(...nodes);
  };
