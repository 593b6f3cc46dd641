export function Contract() {
  return <p>Contract</p>;
}
