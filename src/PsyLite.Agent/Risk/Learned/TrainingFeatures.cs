namespace PsyLite.Agent.Risk.Learned;

/// <summary>
/// What the trainer sees of one message: for each clause window, and for the whole message, the hashes of its features with repetitions.
/// <paramref name="Marked"/> says which windows hold the telling clause; null when nothing was marked.
/// </summary>
public sealed record MessageWindows(IReadOnlyList<uint[]> Windows, IReadOnlyList<bool>? Marked, uint[] Whole);

/// <summary>Reads messages into features exactly as the classifier will, for <c>psylite train risk</c>.</summary>
public sealed class TrainingFeatures
{
    /// <inheritdoc cref="RiskModel.FewestFeatures"/>
    public const int FewestFeatures = RiskModel.FewestFeatures;
    private readonly MessageReader _reader = WithoutModel();
    private (byte[] File, RiskModel Model)? _model;

    /// <summary>Probabilities, one for each <see cref="RiskOutput"/>, that the classifier in <paramref name="file"/> gives to a message.</summary>
    public IReadOnlyList<float> Score(byte[] file, string text)
    {
        if (_model?.File != file)
        {
            _model = (file, RiskModelFile.Read(file));
        }

        var (view, rules) = _reader.ForTraining(text);
        return _model.Value.Model.Score(view.Text, _reader.Features, rules).Probabilities;
    }

    /// <summary>Features of <paramref name="text"/>; the telling clause, if known, is [markStart, markEnd) in the text as written.</summary>
    public MessageWindows Read(string text, int markStart = -1, int markEnd = -1)
    {
        var (view, rules) = _reader.ForTraining(text);
        var sink = new Collector([]);
        _reader.Features.Read(view.Text, ref sink);
        foreach (var (position, hash) in rules)
        {
            sink.Add(Math.Clamp(position, 0, Math.Max(0, view.Text.Length - 1)), hash);
        }

        var windows = new List<(int Start, int End)>();
        Clauses.Windows(view.Text, windows);
        bool Holds((int Start, int End) window)
        {
            var overlap = 0;
            for (var i = window.Start; i < window.End; i++)
            {
                overlap += view.Starts[i] >= markStart && view.Starts[i] < markEnd ? 1 : 0;
            }

            return 2 * overlap >= Math.Min(markEnd - markStart, Clauses.WindowLength);
        }

        var marked = markStart >= 0 && windows.Count > 1 ? windows.Select(Holds).ToList() : null;
        return new MessageWindows(
            [.. windows.Select(w => sink.Found.Where(f => f.Position >= w.Start && f.Position < w.End).Select(f => f.Hash).ToArray())],
            marked?.Contains(true) == true ? marked : null,
            [.. sink.Found.Select(f => f.Hash)]);
    }

    /// <summary>The model file's bytes for trained <paramref name="parameters"/>.</summary>
    public static byte[] File(RiskParameters parameters) => RiskModelFile.Write(parameters);

    /// <summary>Training makes the model, so it must run while the one that comes along is of an older version.</summary>
    private static MessageReader WithoutModel()
    {
        var normaliser = new TextNormaliser();
        return new MessageReader(normaliser, new Patterns.RuleBook(normaliser));
    }

    private readonly struct Collector(List<(int Position, uint Hash)> found) : IFeatureSink
    {
        public List<(int Position, uint Hash)> Found => found;

        // Hash 0 marks an empty slot in the model's table.
        public void Add(int position, uint hash) => found.Add((position, hash == 0 ? 1 : hash));
    }
}
