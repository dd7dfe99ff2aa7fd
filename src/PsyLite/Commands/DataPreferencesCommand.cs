using System.CommandLine;
using PsyLite.Agent.Guard;
using PsyLite.DataPipeline;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Pairs;
using PsyLite.Training.Data.Records;

namespace PsyLite.Commands;

/// <summary><c>psylite data preferences</c>: pairs for ORPO, from sets, from pairs written by hand, or from a model's own replies.</summary>
internal static class DataPreferencesCommand
{
    public static Command Create()
    {
        var from = new Option<string[]>("--source") { Description = "PKU-SafeRLHF 或其他成对数据 · sets of pairs", AllowMultipleArgumentsPerToken = true };
        var corpus = new Option<string[]>("--corpus") { Description = "手写偏好对的文件夹（YAML）· folders of pairs written by hand", AllowMultipleArgumentsPerToken = true };
        var prompts = new Option<string[]>("--prompts") { Description = "从模型采样：题目来自这些数据 · sample a model's replies to the questions of these sets", AllowMultipleArgumentsPerToken = true };
        var output = new Option<string>("--out") { Description = "输出 JSONL · JSONL to write", Required = true };
        var rows = new Option<int?>("--rows") { Description = "最多多少对 · most pairs" };
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var near = new Option<string>("--near") { Description = "近似重复的相似度 0.5–1，或 off · similarity of near duplicates, or off", DefaultValueFactory = _ => "0.9" };
        var chinese = new Option<double>("--chinese") { Description = "选中回复的中文比例下限 · least share of Chinese in the chosen reply" };
        var reasoning = new Option<bool>("--reasoning") { Description = "选中的回复必须带思考 · the chosen reply must have reasoning" };
        var gates = new Option<string>("--gates") { Description = "on：选中的回复须过安全门；off · safety gates on the chosen reply", DefaultValueFactory = _ => "on" };
        gates.AcceptOnlyFromAmong("on", "off");
        var against = new Option<string[]>("--against") { Description = "评测集：与之重合的对不要 · evaluation sets whose text may not be in the pairs", AllowMultipleArgumentsPerToken = true };
        var replies = new Option<int>("--replies") { Description = "每题采样几条 · replies sampled for each question", DefaultValueFactory = _ => 4 };
        var margin = new Option<double>("--margin") { Description = "好坏差距至少几分 · least distance between best and worst", DefaultValueFactory = _ => 2 };
        var sources = new DataSourceOptions();
        var model = new TeacherFlags("");
        var judge = new TeacherFlags("judge-");
        var command = new Command("preferences", "生成偏好对 · pairs of chosen and rejected replies\n  psylite data preferences --source PKU-SafeRLHF.jsonl --rows 72000 --out runs/orpo.jsonl\n  psylite data preferences --corpus corpora/preferences --out runs/mini-orpo.jsonl")
        {
            from, corpus, prompts, output, rows, seed, near, chinese, reasoning, gates, against, replies, margin,
        };
        model.AddTo(command);
        judge.AddTo(command);
        sources.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var summary = new DataSummary();
            var path = parsed.GetRequiredValue(output);
            var questions = (parsed.GetValue(prompts) ?? []).Select(p => sources.Of(parsed, p)).ToList();
            var madeFrom = new DataManifest("data preferences");
            var sampling = new SamplingOptions
            {
                Replies = Math.Clamp(parsed.GetValue(replies), 2, 64),
                Margin = parsed.GetValue(margin),
                Seed = parsed.GetValue(seed),
                NeedsReasoning = parsed.GetValue(reasoning),
            };
            var made = questions.Count == 0 ? [] : await SampleAsync(parsed, sampling, questions, path, model, judge, madeFrom, cancellationToken);
            var inspection = new ReplyInspection();
            var options = new PairOptions
            {
                Sources = [.. (parsed.GetValue(from) ?? []).Select(f => sources.Of(parsed, f))],
                Corpora = parsed.GetValue(corpus) ?? [],
                Prompts = DataCommand.Prompts,
                Made = made,
                MadeFrom = madeFrom,
                Rows = parsed.GetValue(rows),
                Seed = parsed.GetValue(seed),
                NeedsReasoning = parsed.GetValue(reasoning),
                Chinese = parsed.GetValue(chinese),
                Duplicates = DataMixCommand.Similarity(parsed.GetRequiredValue(near)),
                Gate = parsed.GetRequiredValue(gates) == "on" ? reply => inspection.Broken(reply.Content, reply.Reasoning) : null,
                Against = parsed.GetValue(against) ?? [],
            };
            if (options.Sources.Count + options.Corpora.Count + questions.Count == 0)
            {
                throw new InvalidDataException("there is nothing to make pairs of: give --source, --corpus or --prompts.");
            }

            using var bars = new DataBars();
            var manifest = PairRun.Run(options, path, summary.OptionsOf(parsed), bars, cancellationToken);
            bars.Dispose();
            summary.Print(manifest);
            return CommandBoundary.Done;
        });
        return command;
    }

    /// <summary>From the teacher of the flags, or from the configured model where none is named.</summary>
    private static async Task<List<DataRecord>> SampleAsync(
        ParseResult parsed, SamplingOptions options, List<SourceOptions> questions, string output, TeacherFlags model, TeacherFlags judge, DataManifest madeFrom, CancellationToken cancellationToken)
    {
        using var journal = AnswerJournal.Open(output + ".journal");
        await using var remote = model.Open(parsed, journal, TimeProvider.System);
        await using var judging = judge.Open(parsed, journal, TimeProvider.System);
        using var local = remote is null ? Composition.Create(Options.AppOptions.FromEnvironment()) : null;
        var asked = remote?.Teacher ?? new Teacher(
            local!.Model, new TeacherOptions(Path.GetFileName(local.Options.ModelPath)) { Temperature = 0.9f, MaxTokens = 400 }, journal, new RequestPacer(null, null, TimeProvider.System), TimeProvider.System);
        var run = new PreferenceSampling(options, asked, judging?.Teacher);
        IEnumerable<DataRecord> Prompts(DataManifest manifest) => RecordReading.Records(questions, manifest, null, cancellationToken);
        await run.AskAsync(Prompts(new DataManifest("")), null, cancellationToken);
        return [.. run.Pairs(Prompts(madeFrom), madeFrom.Counts)];
    }
}
