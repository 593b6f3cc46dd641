import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Icon, Markdown, Notice, Spinner, words } from "@/design";
import { type Message, type Place, readAnswer } from "./shapes";
import type { Telling } from "./telling";
import s from "./agents.module.css";

export function MessageView({ message }: { message: Message }) {
  if (message.type === "human") return <Question text={message.content} />;
  if (message.type === "ai" && message.content !== "") return <AnswerView text={message.content} />;
  if (message.type === "ai") return <Did what={message.toolCalls.map(({ name }) => words(name)).join(", ")} />;
  return null;
}

export function Question({ text }: { text: string }) {
  return <div className={s.question}><span className="visually-hidden">You asked: </span>{text}</div>;
}

function Did({ what }: { what: string }) {
  return what === "" ? null : <p className={s.did}><Icon name="check" size={13} /> {what}</p>;
}

/** An answer: its sentences, the places that they rest on, and how it came about. */
function AnswerView({ text }: { text: string }) {
  const { body, places, note } = readAnswer(text);
  return (
    <article className={s.answer} aria-label="Answer">
      {places.length === 0 ? <Markdown text={body} /> : body.split("\n").map((line, index) => <p key={index}>{cited(line, places)}</p>)}
      {places.length > 0 && (
        <ol className={s.places} aria-label="Clauses cited">
          {places.map((place) => (
            <li key={place.number}>
              <span>{place.number}</span>
              <PlaceLink place={place}>{place.where}</PlaceLink>
            </li>
          ))}
        </ol>
      )}
      {note !== "" && <p className={s.note}>{note}</p>}
    </article>
  );
}

function PlaceLink({ place, children }: { place: Place; children: ReactNode }) {
  return <Link to="/contracts/$contractId" params={{ contractId: place.contract }} search={{ start: place.start, end: place.end }}>{children}</Link>;
}

/** "It renews. [1][2]": each number leads to its clause. */
function cited(line: string, places: readonly Place[]): ReactNode[] {
  return line.split(/(\[\d+\])/).map((part, index) => {
    const number = /^\[(\d+)\]$/.exec(part)?.[1];
    const place = places.find((each) => each.number === Number(number));
    return place === undefined ? part : <sup key={index}><PlaceLink place={place}><span className="visually-hidden">{place.where}, source </span>{place.number}</PlaceLink></sup>;
  });
}

/** What is told while the answer is made. */
export function Answering({ telling, live }: { telling: Telling; live: boolean }) {
  return (
    <div className={s.answering}>
      {telling.activity.map((what, index) => <Did key={index} what={what} />)}
      {telling.sentences.length > 0 && <div className={s.answer}>{telling.sentences.map((sentence, index) => <p key={index}>{sentence}</p>)}</div>}
      {telling.sentences.length === 0 && telling.draft !== "" && (
        <div className={s.draft}>
          <p className={s.note}>Being written; nothing of it is checked yet</p>
          <Markdown text={telling.draft} />
        </div>
      )}
      {telling.error !== null ? <Notice tone="critical" title="Not answered">{telling.error}</Notice> : live && <p className={s.did} role="status"><Spinner /> {telling.activity.length === 0 ? "Looking into the contracts" : "Going on"}</p>}
    </div>
  );
}
