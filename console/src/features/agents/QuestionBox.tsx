import { useState } from "react";
import { Button, Textarea } from "@/design";
import s from "./agents.module.css";

export function QuestionBox({ busy, onSend, onStop }: { busy: boolean; onSend: (question: string) => void; onStop: (() => void) | undefined }) {
  const [text, setText] = useState("");
  function send() {
    const question = text.trim();
    if (question === "" || busy) return;
    setText("");
    onSend(question);
  }
  return (
    <form className={s.box} onSubmit={(event) => { event.preventDefault(); send(); }}>
      <Textarea
        id="search"
        aria-label="Your question"
        placeholder="Ask about your contracts"
        rows={2}
        maxLength={4000}
        value={text}
        onChange={(event) => { setText(event.target.value); }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {busy && onStop !== undefined ? <Button icon="stop" onClick={onStop}>Stop</Button> : <Button type="submit" tone="primary" icon="send" busy={busy} denied={text.trim() === "" ? "Write a question first" : undefined} onClick={send}>Ask</Button>}
    </form>
  );
}
