// SPDX-License-Identifier: GPL-3.0-or-later
'use strict';

// Only a path of this server may follow a login: anything else would send people to strangers.
function next() {
  const wanted = new URLSearchParams(location.search).get('next') || '/docs';
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : '/docs';
}

const form = document.getElementById('login');
const state = document.getElementById('state');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  state.textContent = '';
  try {
    const answer = await fetch('/api/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: form.username.value, password: form.password.value }),
    });
    if (answer.ok) location.assign(next());
    else state.textContent = (await answer.json()).error;
  } catch {
    state.textContent = 'The server does not answer.';
  }
});
