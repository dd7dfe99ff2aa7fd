namespace PsyLite.Training.Data;

/// <summary>The judge's words; they are the agent's own, handed in so that training and serving use the same ones.</summary>
public sealed record ComposerPrompts(string Judge, string HappyLabel, string CalmLabel, string LowLabel)
{
    /// <param name="mood">low, neutral or happy.</param>
    public string Label(string mood) => mood switch { "happy" => HappyLabel, "low" => LowLabel, _ => CalmLabel };

    /// <summary>
    /// Reasoning opens by naming what the talk is about, the mood and the step. A small model that has said it in words answers
    /// to it far sooner than one that must carry it in its activations.
    /// </summary>
    public string FirstLine(string gist, string mood, string step) => $"话题：{gist}；心情：{Label(mood)}；这一步：{step}";
}

/// <summary>Shares by count of the short exercises; the rest are conversations. Being short, their share of the tokens is smaller.</summary>
/// <param name="Judge">Conversation, question for the mood, one word.</param>
/// <param name="Gist">A message and the first line of the reasoning.</param>
/// <param name="Change">Share of all samples that begin with another subject, of which the newest words know nothing.</param>
public sealed record SampleMix(double Judge = 0.1, double Gist = 0.2, double Change = 0);

/// <summary>
/// Plays the building blocks of a <see cref="TextCorpus"/> as conversations. Deterministic for a seed. One block in twenty is
/// held back by a hash of its name, so that validation text shares no situation with training text.
/// </summary>
public sealed class DialogueComposer
{
    private static readonly (string Kind, double Weight)[] KindWeights =
        [("dialogues", 0.52), ("everyday", 0.2), ("happy", 0.09), ("smalltalk", 0.08), ("knowledge", 0.06), ("refusals", 0.05), ("turns", 0.06)];

    private static readonly List<string> Farewells = ["对方准备先去试试了，温和地收尾，留一扇门。", "可以告一段落，肯定这份愿意，简短道别。", "话说到这里很好，不再加新东西，送上一句踏实的话。"];

    private readonly ComposerPrompts _prompts;
    private readonly SampleMix _mix;
    private readonly Dictionary<string, List<Block>> _blocks = [];
    private readonly (string Kind, double Weight)[] _weights;

    public DialogueComposer(TextCorpus corpus, ComposerPrompts prompts, bool heldOut, SampleMix? mix = null)
    {
        _prompts = prompts;
        _mix = mix ?? new SampleMix();
        foreach (var file in corpus.Files)
        {
            var list = _blocks.TryGetValue(file.Kind, out var known) ? known : _blocks[file.Kind] = [];
            list.AddRange(file.Situations.Select(s => new Block($"{file.Kind}/{file.Id}/{s.Id}", s, null, null)));
            list.AddRange(file.Groups.Select(g => new Block($"{file.Kind}/{file.Id}/{g.Id}", null, g, null)));
            list.AddRange(file.Talks.Select(t => new Block($"{file.Kind}/{file.Id}/{t.Id}", null, null, t)));
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
            var block = Pick(random);
            var sample = random.NextDouble() switch
            {
                var dice when dice < _mix.Judge => Judge(block, random),
                var dice when dice < _mix.Judge + _mix.Gist => Gist(block, random),
                _ => block switch { { Situation: { } s } => Play(block.Source, s, random), { Group: { } g } => Answer(block.Source, g, random), _ => Tell(block.Source, block.Talk!, random) },
            };
            yield return _mix.Change > 0 && random.NextDouble() < _mix.Change ? sample with { Messages = [.. Earlier(block, random), .. sample.Messages] } : sample;
        }
    }

    private Block Pick(Random random)
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

    private TrainingSample Tell(string source, Talk talk, Random random) =>
        new(KindOf(source), source, [.. Said(talk), Assistant([talk.Reply], Reasoning(talk.Gist, talk.Mood, Step(source), [talk.Think], random), random)]);

    private static string KindOf(string source) => source[..source.IndexOf('/')];

    private static string Step(string source) => KindOf(source) switch { "refusals" => "婉拒", "knowledge" => "解释", "dialogues" or "happy" or "everyday" or "turns" => "倾听", _ => "闲聊" };

    private string Reasoning(string gist, string mood, string step, List<string> thoughts, Random random) =>
        $"{_prompts.FirstLine(gist, mood, step)}\n{thoughts[random.Next(thoughts.Count)]}";

    /// <summary>Only what the message is about: the opening and the first line of the reasoning.</summary>
    private TrainingSample Gist(Block block, Random random) => new("gist", block.Source, [
        .. Opening(block, random),
        new SampleMessage("assistant", "") { Reasoning = _prompts.FirstLine(block.Gist, block.Mood, Step(block.Source)), BreaksOff = true },
    ]);

    /// <summary>The mood judge: the conversation, the question, one word.</summary>
    private TrainingSample Judge(Block block, Random random)
    {
        var messages = new List<SampleMessage>(Opening(block, random));
        if (block.Situation is { } s && random.NextDouble() < 0.3)
        {
            messages.Add(Assistant(s.Explore, null, random));
            messages.Add(User(s.Detail, random, opening: false));
        }

        messages.Add(new SampleMessage("system", _prompts.Judge));
        messages.Add(new SampleMessage("assistant", _prompts.Label(block.Mood)));
        return new TrainingSample("judge", block.Source, messages);
    }

    private IEnumerable<SampleMessage> Opening(Block block, Random random) =>
        block.Talk is { } talk ? Said(talk) : [User(block.Situation?.Open ?? block.Group!.Ask, random, opening: true)];

    private static IEnumerable<SampleMessage> Said(Talk talk) => talk.Said.Select((text, i) => new SampleMessage(i % 2 == 0 ? "user" : "assistant", text));

    /// <summary>An exchange or two about something else, without their reasoning, which never travels in the history.</summary>
    private List<SampleMessage> Earlier(Block later, Random random)
    {
        Block block;
        do
        {
            block = Pick(random);
        }
        while (block.Source == later.Source);
        List<SampleMessage> messages = [.. Opening(block, random), Assistant(block.Situation?.Explore ?? block.Group?.Reply ?? [block.Talk!.Reply], null, random)];
        if (block.Situation is { } s && random.NextDouble() < 0.3)
        {
            messages.Add(User(s.Detail, random, opening: false));
            messages.Add(Assistant(s.Insight, null, random));
        }

        return messages;
    }

    private static SampleMessage User(List<string> texts, Random random, bool opening) =>
        new("user", VoiceVariation.Vary(texts[random.Next(texts.Count)], random, opening));

    private static SampleMessage Assistant(List<string> texts, string? reasoning, Random random) =>
        new("assistant", texts[random.Next(texts.Count)]) { Reasoning = reasoning };

    /// <summary>What one conversation is made of: one of the three is there.</summary>
    private sealed record Block(string Source, Situation? Situation, ExchangeGroup? Group, Talk? Talk)
    {
        public string Gist => Situation?.Gist ?? Group?.Gist ?? Talk!.Gist;

        public string Mood => Situation?.Mood ?? Group?.Mood ?? Talk!.Mood;
    }
}
