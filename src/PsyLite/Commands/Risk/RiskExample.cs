using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;
using PsyLite.Training.Data;

namespace PsyLite.Commands.Risk;

/// <summary>A message to learn from. <paramref name="Harmful"/> is 1 for a harmful request, 0 for none, NaN when nobody has said.</summary>
internal sealed record RiskExample(LabelledMessage Message, float Harmful)
{
    /// <summary>Kind of the lines from the conversation corpus.</summary>
    public const string House = "house";

    /// <summary>
    /// Labelled messages; without danger there is no harmful request in them, with danger nobody has said. Of a dialogue that ends without danger
    /// the last words are one too: what people answer. With danger they often show it only together with what went before.
    /// </summary>
    public static IEnumerable<RiskExample> Of(IEnumerable<LabelledMessage> messages) =>
        messages.Where(m => !m.IsDialogue || m.Tier == Tier.T0).Select(m => new RiskExample(m with { Turns = [m.Text] }, m.Tier == Tier.T0 ? 0 : float.NaN));

    /// <summary>What clients say in the conversation corpus.</summary>
    public static IEnumerable<RiskExample> OfConversations(TextCorpus corpus)
    {
        foreach (var file in corpus.Files)
        {
            var isRefused = file.Kind == "refusals";
            foreach (var group in file.Groups)
            {
                var mood = Mood(group.Mood);
                foreach (var text in group.Ask)
                {
                    yield return Calm(file.Id, text, isRefused ? LabelledMood.None : mood, isRefused ? 1 : 0);
                }

                foreach (var text in group.ThenAsk)
                {
                    yield return Calm(file.Id, text, LabelledMood.None, isRefused ? float.NaN : 0);
                }
            }

            foreach (var talk in file.Talks)
            {
                foreach (var text in talk.Said.Where((_, turn) => turn % 2 == 0))
                {
                    yield return Calm(file.Id, text, LabelledMood.None, 0);
                }
            }

            foreach (var situation in file.Situations)
            {
                foreach (var text in situation.Open)
                {
                    yield return Calm(file.Id, text, Mood(situation.Mood), 0);
                }

                foreach (var text in situation.Detail.Concat(situation.Shift).Concat(situation.Close))
                {
                    yield return Calm(file.Id, text, LabelledMood.None, 0);
                }
            }
        }
    }

    /// <summary>Requests: a dialogue counts as what the person said in it, all turns together.</summary>
    public static IEnumerable<RiskExample> OfRequests(IEnumerable<LabelledRequest> requests) =>
        requests.Select(r => Calm(r.Source, r.Said, LabelledMood.None, r.IsHarmful ? 1 : 0)).Select(e => e with { Message = e.Message with { Kind = "request" } });

    private static RiskExample Calm(string source, string text, LabelledMood mood, float harmful) =>
        new(new LabelledMessage(source, 0, Tier.T0, mood, House, [text], -1, -1, IsHeldBack: false), harmful);

    private static LabelledMood Mood(string name) => name switch
    {
        "happy" => LabelledMood.Happy,
        "low" => LabelledMood.Sad,
        _ => LabelledMood.None,
    };
}
