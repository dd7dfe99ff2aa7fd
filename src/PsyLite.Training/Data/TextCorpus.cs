using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace PsyLite.Training.Data;

/// <summary>
/// One trouble (or joy) written out as a conversation in which every field has several wordings. Any wording of a field fits
/// any wording of the others, so a conversation is made by picking one of each. The stages follow Hill's helping-skills
/// model: explore, insight, action.
/// </summary>
public sealed class Situation
{
    public string Id { get; set; } = "";

    /// <summary>The trouble in a few words; what the reasoning names first. The shortest opening when it is not given.</summary>
    public string Gist
    {
        get => field.Length > 0 ? field : TextCorpus.Shortest(Open);
        set;
    } = "";

    /// <summary>low, neutral or happy: how the person feels in the opening.</summary>
    public string Mood { get; set; } = "";

    public List<string> Open { get; set; } = [];

    public List<string> Think1 { get; set; } = [];

    public List<string> Explore { get; set; } = [];

    public List<string> Detail { get; set; } = [];

    public List<string> Think2 { get; set; } = [];

    public List<string> Insight { get; set; } = [];

    public List<string> Shift { get; set; } = [];

    public List<string> Think3 { get; set; } = [];

    public List<string> Action { get; set; } = [];

    public List<string> Close { get; set; } = [];

    public List<string> Bye { get; set; } = [];

}

/// <summary>
/// A question or remark with its answers: small talk, everyday openings, refusals, plain knowledge. Any reply fits any wording of
/// the question; what follows is paired: the n-th <see cref="ThenReply"/> answers the n-th <see cref="ThenAsk"/>.
/// </summary>
public sealed class ExchangeGroup
{
    public string Id { get; set; } = "";

    public string Mood { get; set; } = "neutral";

    public List<string> Ask { get; set; } = [];

    public List<string> Think { get; set; } = [];

    public List<string> Reply { get; set; } = [];

    public List<string> ThenAsk { get; set; } = [];

    public List<string> ThenReply { get; set; } = [];

    /// <summary>The question in a few words; what the reasoning names first. The shortest wording when it is not given.</summary>
    public string Gist
    {
        get => field.Length > 0 ? field : TextCorpus.Shortest(Ask);
        set;
    } = "";
}

/// <summary>A conversation written out once, in which the subject changes: its reply answers the newest words and keeps the rest in mind.</summary>
public sealed class Talk
{
    public string Id { get; set; } = "";

    public string Gist { get; set; } = "";

    public string Mood { get; set; } = "neutral";

    /// <summary>Person and assistant by turns; the last words are the person's.</summary>
    public List<string> Said { get; set; } = [];

    public string Think { get; set; } = "";

    public string Reply { get; set; } = "";
}

/// <summary>One file of the corpus: a topic with situations, groups or talks.</summary>
public sealed class CorpusFile
{
    public string Topic { get; set; } = "";

    public string Id { get; set; } = "";

    public List<Situation> Situations { get; set; } = [];

    public List<ExchangeGroup> Groups { get; set; } = [];

    public List<Talk> Talks { get; set; } = [];

    /// <summary>The folder the file was read from: dialogues, happy, smalltalk, everyday, refusals, knowledge or turns.</summary>
    [YamlIgnore]
    public string Kind { get; set; } = "";
}

/// <summary>The building blocks under <c>corpora/</c>.</summary>
public sealed class TextCorpus
{
    /// <summary>Folders that hold conversation text; each file in them is a <see cref="CorpusFile"/>.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["dialogues", "happy", "smalltalk", "everyday", "refusals", "knowledge", "turns"];

    private TextCorpus(IReadOnlyList<CorpusFile> files) => Files = files;

    public IReadOnlyList<CorpusFile> Files { get; }

    /// <summary>Reads every file and checks that it can be used.</summary>
    /// <exception cref="InvalidDataException">A folder has no text, or a file is malformed; the message names the file and the fault.</exception>
    public static TextCorpus Read(string folder)
    {
        var yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();
        var files = new List<CorpusFile>();
        foreach (var kind in Kinds.Where(k => Directory.Exists(Path.Combine(folder, k))))
        {
            foreach (var path in Directory.EnumerateFiles(Path.Combine(folder, kind), "*.yaml").Order(StringComparer.Ordinal))
            {
                var file = ReadFile(yaml, path);
                file.Kind = kind;
                files.Add(file);
            }
        }

        return files.Count > 0 ? new TextCorpus(files) : throw new InvalidDataException($"{folder} holds no corpus text; expected folders such as {folder}/dialogues.");
    }

    internal static string Shortest(List<string> texts) => texts.MinBy(t => t.Length)!.TrimEnd('。', '！', '？', '…', '~', '!', '?', '.');

    private static CorpusFile ReadFile(IDeserializer yaml, string path)
    {
        CorpusFile file;
        try
        {
            file = yaml.Deserialize<CorpusFile>(File.ReadAllText(path)) ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (YamlException e)
        {
            throw new InvalidDataException($"{path} is not a corpus file: {e.Message}", e);
        }

        foreach (var s in file.Situations)
        {
            Require(path, s.Id, ("open", s.Open), ("think1", s.Think1), ("explore", s.Explore), ("detail", s.Detail), ("think2", s.Think2), ("insight", s.Insight));
            Require(path, s.Id, ("shift", s.Shift), ("think3", s.Think3), ("action", s.Action), ("close", s.Close), ("bye", s.Bye));
            RequireMood(path, s.Id, s.Mood);
        }

        foreach (var g in file.Groups)
        {
            Require(path, g.Id, ("ask", g.Ask), ("think", g.Think), ("reply", g.Reply));
            if (g.ThenAsk.Count != g.ThenReply.Count)
            {
                throw new InvalidDataException($"{path}: {g.Id} must answer each then_ask with the then_reply in the same place.");
            }
        }

        foreach (var t in file.Talks)
        {
            Require(path, t.Id, ("gist", [t.Gist]), ("said", t.Said), ("think", [t.Think]), ("reply", [t.Reply]));
            RequireMood(path, t.Id, t.Mood);
            if (t.Said.Count % 2 == 0)
            {
                throw new InvalidDataException($"{path}: what is said in {t.Id} must end with the person's words.");
            }
        }

        return file;
    }

    /// <exception cref="InvalidDataException">The mood is none that text is labelled with.</exception>
    internal static void RequireMood(string path, string id, string mood)
    {
        if (mood is not ("low" or "neutral" or "happy"))
        {
            throw new InvalidDataException($"{path}: the mood of {id} must be low, neutral or happy.");
        }
    }

    private static void Require(string path, string id, params ReadOnlySpan<(string Name, List<string> Texts)> fields)
    {
        foreach (var (name, texts) in fields)
        {
            if (texts.Count == 0 || texts.Any(string.IsNullOrWhiteSpace))
            {
                throw new InvalidDataException($"{path}: {id} lacks {name}.");
            }
        }
    }
}
