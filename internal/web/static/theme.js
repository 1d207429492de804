// The colours: as the system has them, or as the visitor chose. A cookie keeps the choice;
// it is no secret, and the server ignores it.

import { $ } from './dom.js';

const name = 'gistdeal-theme';
const age = 31_536_000; // s

export const themes = ['', 'light', 'dark'];

export function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.cookie = `${name}=${theme}; max-age=${theme ? age : 0}; samesite=strict`;
  $('theme').value = theme;
}

// startTheme applies the choice, before anything is drawn.
export function startTheme() {
  const chosen = document.cookie.split('; ').find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  document.documentElement.dataset.theme = themes.includes(chosen) ? chosen : '';
  $('theme').value = document.documentElement.dataset.theme;
  $('theme').onchange = () => setTheme($('theme').value);
}
