// Returns the accessibility faults of the page. The option fontSize changes the size of all text first.
({fontSize}) => {
  const found = [];
  document.documentElement.style.fontSize = fontSize || '';
  document.querySelectorAll('details').forEach(e => { e.open = true; });
  const luminance = c => {
    const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const rgba = text => (text.match(/[\d.]+/g) || []).map(Number);
  const background = e => {
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const contrast = (color, below) => {
    const a = luminance(rgba(color).slice(0, 3)), b = luminance(below);
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  };
  const needs = (ratio, what, color, below, e) => {
    const got = contrast(color, below);
    if (got < ratio) found.push(what + ' ' + got.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
  };
  for (const e of document.querySelectorAll('body *')) {
    const style = getComputedStyle(e);
    if (['auto', 'scroll'].includes(style.overflowX)) found.push('scrolls without a tab stop: ' + e.tagName);
    const label = getComputedStyle(e, '::before');
    if (label.content !== 'none') needs(4.5, 'contrast of a label', label.color, background(e), e);
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    needs(4.5, 'contrast', style.color, background(e), e);
    if (style.fontSize.replace('px', '') < (fontSize ? 24 : 12)) found.push('small text: ' + e.textContent);
  }
  needs(3, 'contrast of the icon', getComputedStyle(document.querySelector('.badge svg')).stroke,
    background(document.querySelector('.badge')), document.querySelector('h1'));
  for (const e of document.querySelectorAll('.actions .primary')) {
    needs(3, 'edge of a button', getComputedStyle(e).borderTopColor, background(e.parentElement), e);
  }
  const name = document.querySelector('header span');
  if (name && !fontSize && name.getClientRects().length && name.offsetHeight > 1.9 * parseFloat(getComputedStyle(name).lineHeight)) {
    found.push('the name of the site is broken into lines');
  }
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let last = {bottom: 0, left: 0};
  for (const e of document.querySelectorAll('a, button, summary')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e), least = e.closest('.actions') ? 44 : 24;
    if (box.height < least || box.width < 24) found.push('small: ' + e.textContent + ' ' + box.height);
    if (!e.textContent.trim()) found.push('nameless: ' + e.outerHTML);
    if (e.hasAttribute('tabindex')) found.push('not in the order of the page: ' + e.textContent);
    const top = box.top + scrollY, bottom = box.bottom + scrollY;
    if (top < last.bottom - 1 && box.left < last.left) found.push('focus goes back: ' + e.textContent);
    last = {bottom, left: box.left};
    if (still && style.transitionDuration !== '0s') found.push('moves: ' + e.textContent);
    if (!still && e.closest('.actions') && style.transitionDuration === '0s') found.push('no transition: ' + e.textContent);
    e.focus({focusVisible: true});
    if (document.activeElement !== e || getComputedStyle(e).outlineStyle === 'none') found.push('no focus: ' + e.textContent);
    needs(3, 'focus ring', getComputedStyle(e).outlineColor, background(e.parentElement), e);
  }
  if (document.querySelector('[tabindex]')) found.push('a tab stop that is not a control');
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) found.push('wider than the screen: ' + width);
  for (const e of document.querySelectorAll('main *')) {
    if (e.closest('thead')) continue;
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline') {
      found.push('cut off: ' + e.tagName + ' ' + e.textContent.trim().slice(0, 40));
    }
  }
  for (const name of ['header', 'main', 'h1']) {
    if (document.querySelectorAll(name).length !== 1) found.push('not one ' + name);
  }
  let level = 0;
  for (const e of document.querySelectorAll('h1, h2, h3, h4')) {
    if (e.tagName[1] - level > 1) found.push('a level of headings is left out: ' + e.textContent);
    level = e.tagName[1];
  }
  for (const e of document.querySelectorAll('table')) {
    const columns = e.querySelectorAll('thead [role=columnheader][scope=col]').length;
    for (const row of e.querySelectorAll('tbody tr')) {
      if (row.cells.length !== columns || row.cells[0].scope !== 'row') found.push('cells without headings: ' + row.textContent);
    }
  }
  if (document.querySelector('img:not([alt])')) found.push('an image without alt');
  const asked = new URLSearchParams(location.search).get('language');
  if (document.documentElement.lang !== asked || !document.title) found.push('no language or title');
  const main = getComputedStyle(document.querySelector('main'));
  if (main.borderRadius === '0px') found.push('the style sheet does not apply');
  return found;
}
