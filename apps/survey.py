"""4200: three questions about a visit, and a word of one's own; whatever was answered is kept."""

from fsivr import Handler, InputError, RecordingError

from apps.notebook import Notebook

QUESTIONS = ("friendly", "quick", "again")

answers = Notebook("survey")


class Survey(Handler):
    def run(self, call):
        self.given = {}
        self.word = None
        call.answer()
        call.play("survey/welcome")
        for question in QUESTIONS:
            self.given[question] = self.ask(call, question)
        if call.confirm("survey/leave-a-word", yes="1", no="2", tries=1):
            self.leave_a_word(call)
        call.play("survey/thanks")

    def ask(self, call, question):
        try:
            return int(call.ask(f"survey/{question}", digits=1, pattern="[1-5]", no_match="survey/one-to-five"))
        except InputError:
            return None

    def leave_a_word(self, call):
        try:
            self.word = call.record(limit=60, silence=4, terminator="#")
        except RecordingError:
            call.play("survey/no-word-today")

    def on_hangup(self, call):
        # Also of a caller who leaves half-way.
        answers.add(call=call.uuid, **self.given, word=self.word and self.word.path)
