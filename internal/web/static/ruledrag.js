// Rules in the list are moved by dragging them.

// drag lets a handle move its rule to the place of another one, by move.
export function drag(state, item, handle, rule, move) {
  handle.ondragstart = (event) => {
    state.dragged = rule;
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', rule.name);
    event.dataTransfer.setDragImage(item, 0, 0);
  };
  handle.ondragend = () => (state.dragged = null);
  item.ondragover = (event) => {
    if (!state.dragged) return;
    event.preventDefault();
    item.classList.toggle('over', state.dragged !== rule);
  };
  item.ondragleave = () => item.classList.remove('over');
  item.ondrop = (event) => {
    event.preventDefault();
    item.classList.remove('over');
    if (state.dragged && state.dragged !== rule) move(state, state.dragged, state.rules.indexOf(rule), 'edit');
  };
}
