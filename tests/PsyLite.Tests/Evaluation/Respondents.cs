using Microsoft.Extensions.AI;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Tests.Evaluation;

/// <summary>Models whose answers are known, and what they were asked.</summary>
internal sealed class Respondents : IDisposable
{
    private readonly List<(IReadOnlyList<ChatMessage> Messages, Sampling Sampling)> _asked = [];
    private readonly List<Journal> _journals = [];

    public DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("psylite-eval");

    /// <summary>Every question in the order of asking.</summary>
    public IReadOnlyList<(IReadOnlyList<ChatMessage> Messages, Sampling Sampling)> Asked
    {
        get
        {
            lock (_asked)
            {
                return [.. _asked];
            }
        }
    }

    public Asker Answering(Func<IReadOnlyList<ChatMessage>, string> answer, string journal = "journal.jsonl", Func<IReadOnlyList<string>, int>? choose = null, Journal? shared = null)
    {
        var respondent = new Respondent(new ModelFacts("scripted", "test"), (messages, sampling, _) =>
        {
            lock (_asked)
            {
                _asked.Add((messages, sampling));
            }

            return Task.FromResult(new Answer(answer(messages)));
        }, 4)
        {
            Texts = choose is null ? null : (texts, _) => Task.FromResult(new SharedTextLikelihoods(null, 1, [.. texts.Select((_, i) => i == choose(texts) ? -1.0 : -2.0)], [.. texts.Select(_ => 1)])),
        };
        return new Asker(respondent, shared ?? Open(journal), 1);
    }

    public Journal Open(string name = "journal.jsonl")
    {
        var journal = Journal.Open(Path.Combine(Folder.FullName, name));
        _journals.Add(journal);
        return journal;
    }

    public static RunManifest Manifest(string benchmark, string name = "scripted", params IReadOnlyList<JudgeFacts> judges) => new()
    {
        Benchmark = benchmark,
        Name = name,
        Variant = "test",
        Model = new ModelFacts("scripted", "test"),
        DataFolder = "data",
        DataSha256 = "0",
        Seed = 1,
        Settings = new Dictionary<string, string>(),
        Judges = judges,
    };

    public void Dispose()
    {
        _journals.ForEach(j => j.Dispose());
        Folder.Delete(recursive: true);
    }
}
