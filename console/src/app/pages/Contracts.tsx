export function Contracts() {
  return <p>Contracts</p>;
}
