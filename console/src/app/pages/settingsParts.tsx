export const Workspace = () => <p />;
export const Members = () => <p />;
export const ApiKeys = () => <p />;
export const Playbooks = () => <p />;
export const Playbook = () => <p />;
