namespace PsyLite.Training.Data;

/// <summary>The judge's words; they are the agent's own, handed in so that training and serving use the same ones.</summary>
public sealed record ComposerPrompts(string Judge, string HappyLabel, string CalmLabel, string LowLabel);

/// <summary>Shares by count of the short exercises; the rest are conversations. Being short, their share of the tokens is smaller.</summary>
/// <param name="Judge">Conversation, question for the mood, one word.</param>
/// <param name="Gist">A message and the first line of the reasoning.</param>
public sealed record SampleMix(double Judge = 0.1, double Gist = 0.2);

/// <summary>
/// Plays the building blocks of a <see cref="TextCorpus"/> as conversations. Deterministic for a seed. One block in twenty is
/// held back by a hash of its name, so that validation text shares no situation with training text.
/// </summary>
public sealed class DialogueComposer
{

    private static readonly (string Kind, double Weight)[] KindWeights =
        [("dialogues", 0.52), ("everyday", 0.2), ("happy", 0.09), ("smalltalk", 0.08), ("knowledge", 0.06), ("refusals", 0.05)];

    private static readonly List<string> Farewells = ["对方准备先去试试了，温和地收尾，留一扇门。", "可以告一段落，肯定这份愿意，简短道别。", "话说到这里很好，不再加新东西，送上一句踏实的话。"];

    private readonly ComposerPrompts _prompts;
    private readonly SampleMix _mix;
    private readonly Dictionary<string, List<(string Source, Situation? Situation, ExchangeGroup? Group)>> _blocks = [];
    private readonly (string Kind, double Weight)[] _weights;

    public DialogueComposer(TextCorpus corpus, ComposerPrompts prompts, bool heldOut, SampleMix? mix = null)
    {
        _prompts = prompts;
        _mix = mix ?? new SampleMix();
        foreach (var file in corpus.Files)
        {
            var list = _blocks.TryGetValue(file.Kind, out var known) ? known : _blocks[file.Kind] = [];
            list.AddRange(file.Situations.Select(s => ($"{file.Kind}/{file.Id}/{s.Id}", (Situation?)s, (ExchangeGroup?)null)));
            list.AddRange(file.Groups.Select(g => ($"{file.Kind}/{file.Id}/{g.Id}", (Situation?)null, (ExchangeGroup?)g)));
        }

        foreach (var list in _blocks.Values)
        {
            list.RemoveAll(b => IsHeldOut(b.Source) != heldOut);
        }

        _weights = [.. KindWeights.Where(w => _blocks.TryGetValue(w.Kind, out var list) && list.Count > 0)];
        if (_weights.Length == 0)
        {
            throw new InvalidDataException("the corpus holds no text for this part of the split.");
        }
    }

    /// <summary>
    /// One block in twenty, by FNV-1a over the name (stable between runs and machines, unlike string.GetHashCode). Small talk and
    /// refusals are the model's manners: all of them are taught.
    /// </summary>
    public static bool IsHeldOut(string source)
    {
        if (source.StartsWith("smalltalk/", StringComparison.Ordinal) || source.StartsWith("refusals/", StringComparison.Ordinal))
        {
            return false;
        }

        var hash = 2166136261u;
        foreach (var c in source)
        {
            hash = (hash ^ c) * 16777619u;
        }

        return hash % 20 == 7;
    }

    /// <summary>Endless samples, the same for the same seed.</summary>
    public IEnumerable<TrainingSample> Compose(int seed)
    {
        var random = new Random(seed);
        while (true)
        {
            var (source, situation, group) = Pick(random);
            yield return random.NextDouble() switch
            {
                var dice when dice < _mix.Judge => Judge(source, situation, group, random),
                var dice when dice < _mix.Judge + _mix.Gist => Gist(source, situation, group, random),
                _ => situation is not null ? Play(source, situation, random) : Answer(source, group!, random),
            };
        }
    }

    private (string Source, Situation? Situation, ExchangeGroup? Group) Pick(Random random)
    {
        var dice = random.NextDouble() * _weights.Sum(w => w.Weight);
        var kind = _weights[^1].Kind;
        foreach (var (name, weight) in _weights)
        {
            if (dice < weight)
            {
                kind = name;
                break;
            }

            dice -= weight;
        }

        var list = _blocks[kind];
        return list[random.Next(list.Count)];
    }

    /// <summary>One situation up to a random turn: the first reply most often, the farewell least.</summary>
    private TrainingSample Play(string source, Situation s, Random random)
    {
        var turns = random.NextDouble() switch { < 0.5 => 1, < 0.72 => 2, < 0.9 => 3, _ => 4 };
        (List<string> Said, List<string> Thought, List<string> Replied, string Step)[] stages =
        [
            (s.Open, s.Think1, s.Explore, "倾听"),
            (s.Detail, s.Think2, s.Insight, "换个角度"),
            (s.Shift, s.Think3, s.Action, "走一小步"),
            (s.Close, Farewells, s.Bye, "道别"),
        ];
        var messages = new List<SampleMessage>();
        for (var turn = 0; turn < turns; turn++)
        {
            var (said, thought, replied, step) = stages[turn];
            messages.Add(User(said, random, opening: turn == 0));
            messages.Add(Assistant(replied, turn == turns - 1 ? Reasoning(s.Gist, s.Mood, step, thought, random) : null, random));
        }

        return new TrainingSample("counsel", source, messages);
    }

    private TrainingSample Answer(string source, ExchangeGroup g, Random random)
    {
        var step = Step(source);
        var messages = new List<SampleMessage>();
        messages.Add(User(g.Ask, random, opening: true));
        if (g.ThenAsk.Count > 0 && random.NextDouble() < 0.3)
        {
            var pair = random.Next(g.ThenAsk.Count);
            messages.Add(Assistant(g.Reply, null, random));
            messages.Add(User([g.ThenAsk[pair]], random, opening: false));
            messages.Add(Assistant([g.ThenReply[pair]], Reasoning(g.Gist, g.Mood, step, g.Think, random), random));
        }
        else
        {
            messages.Add(Assistant(g.Reply, Reasoning(g.Gist, g.Mood, step, g.Think, random), random));
        }

        return new TrainingSample(KindOf(source), source, messages);
    }

    private static string KindOf(string source) => source[..source.IndexOf('/')];

    private static string Step(string source) => KindOf(source) switch { "refusals" => "婉拒", "knowledge" => "解释", "everyday" => "倾听", _ => "闲聊" };

    /// <summary>
    /// Reasoning opens by naming what the talk is about, the mood and the step. A small model that has said it in words answers
    /// to it far sooner than one that must carry it in its activations.
    /// </summary>
    private string Reasoning(string gist, string mood, string step, List<string> thoughts, Random random) =>
        $"{FirstLine(gist, mood, step)}\n{thoughts[random.Next(thoughts.Count)]}";

    private string FirstLine(string gist, string mood, string step) => $"话题：{gist}；心情：{Label(mood)}；这一步：{step}";

    private string Label(string mood) => mood switch { "happy" => _prompts.HappyLabel, "low" => _prompts.LowLabel, _ => _prompts.CalmLabel };

    /// <summary>Only what the message is about: the opening and the first line of the reasoning.</summary>
    private TrainingSample Gist(string source, Situation? s, ExchangeGroup? g, Random random) => new("gist", source, [
        User(s?.Open ?? g!.Ask, random, opening: true),
        new SampleMessage("assistant", "") { Reasoning = FirstLine(s?.Gist ?? g!.Gist, s?.Mood ?? g!.Mood, s is null ? Step(source) : "倾听"), BreaksOff = true },
    ]);

    /// <summary>The mood judge: the conversation, the question, one word.</summary>
    private TrainingSample Judge(string source, Situation? s, ExchangeGroup? g, Random random)
    {
        var messages = new List<SampleMessage>();
        messages.Add(User(s?.Open ?? g!.Ask, random, opening: true));
        var label = Label(s?.Mood ?? g!.Mood);
        if (s is not null && random.NextDouble() < 0.3)
        {
            messages.Add(Assistant(s.Explore, null, random));
            messages.Add(User(s.Detail, random, opening: false));
        }

        messages.Add(new SampleMessage("system", _prompts.Judge));
        messages.Add(new SampleMessage("assistant", label));
        return new TrainingSample("judge", source, messages);
    }

    private static SampleMessage User(List<string> texts, Random random, bool opening) =>
        new("user", VoiceVariation.Vary(texts[random.Next(texts.Count)], random, opening));

    private static SampleMessage Assistant(List<string> texts, string? reasoning, Random random) =>
        new("assistant", texts[random.Next(texts.Count)]) { Reasoning = reasoning };
}
