using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using PsyLite.Engine;
using PsyLite.Evaluation.Judging;
using PsyLite.Evaluation.Runs;
using PsyLite.Options;

namespace PsyLite.Commands.Eval;

/// <summary>The flags that every benchmark over a model has.</summary>
internal sealed class EvalFlags
{
    private readonly ModelOptions _model = new();
    private readonly Option<string> _out = new("--out") { Description = "报告写到这个文件夹；中断后用同一命令续跑 · folder for the report; the same command goes on after a stop", Required = true };
    private readonly Option<string?> _name = new("--name") { Description = "这次运行叫什么 · what to call this run" };
    private readonly Option<bool> _agent = new("--with-agent") { Description = "带上整个对话轮（风险判断、预置回复、守护） · with the whole turn around the model" };
    private readonly Option<bool> _asBuiltIn = new("--as-built-in") { Description = "与 --with-agent 同用：像对内置模型那样不加系统提示，用于内置模型的各阶段 · with --with-agent: no system prompt, as for the built-in model; for stages and forms of that model" };
    private readonly Option<bool> _fast = new("--fast") { Description = "权重按处理器重排：更快，但答案可能随同时计算的内容差一两个字 · weights rearranged for speed; answers may then differ in a word from run to run" };
    private readonly Option<bool> _exact = new("--exact") { Description = "缓存与注意力用 float32：似然与 llama.cpp 逐条计算相差不到 0.001，内存约四倍 · cache and attention in float32: likelihoods are those of a plain llama.cpp decode; four times the cache" };
    private readonly Option<int> _seed = new("--seed") { DefaultValueFactory = _ => 1, Description = "随机种子 · seed" };
    private readonly Option<int?> _parallel = new("--parallel") { Description = "同时的请求数 · requests at once" };
    private readonly Option<string> _data;

    public EvalFlags(string data) => _data = new Option<string>("--data") { Description = "数据文件夹 · folder of the data, as its owners publish it", DefaultValueFactory = _ => data };

    public void AddTo(Command command, bool hasAgent = true)
    {
        command.Options.Add(_out);
        command.Options.Add(_data);
        _model.AddTo(command);
        if (hasAgent)
        {
            command.Options.Add(_agent);
            command.Options.Add(_asBuiltIn);
            command.Validators.Add(result =>
            {
                if (result.GetValue(_asBuiltIn) && !result.GetValue(_agent))
                {
                    result.AddError("--as-built-in 要与 --with-agent 同用 · --as-built-in goes with --with-agent.");
                }
            });
        }

        command.Options.Add(_name);
        command.Options.Add(_seed);
        command.Options.Add(_fast);
        command.Options.Add(_exact);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_fast) && result.GetValue(_exact))
            {
                result.AddError("--fast 与 --exact 只能选一个 · --fast or --exact, not both.");
            }
        });
        command.Options.Add(_parallel);
        AtLeastOne(_parallel);
    }

    public static void AtLeastOne<T>(Option<T> option) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < 1))
        {
            result.AddError($"{option.Name}: 请写至少为 1 的整数 · write a number of at least 1.");
        }
    });

    public string Data(ParseResult parsed) => parsed.GetRequiredValue(_data);

    public string Out(ParseResult parsed) => parsed.GetRequiredValue(_out);

    public int Seed(ParseResult parsed) => parsed.GetValue(_seed);

    public bool WithAgent(ParseResult parsed) => parsed.GetValue(_agent);

    private Surroundings Around(ParseResult parsed) => !WithAgent(parsed) ? Surroundings.None : parsed.GetValue(_asBuiltIn) ? Surroundings.BuiltInTurn : Surroundings.Turn;

    private Arithmetic Arithmetic(ParseResult parsed) => parsed.GetValue(_exact) ? Eval.Arithmetic.Exact : parsed.GetValue(_fast) ? Eval.Arithmetic.Fast : Eval.Arithmetic.Steady;

    public string? Name(ParseResult parsed) => parsed.GetValue(_name);

    public AppOptions Model(ParseResult parsed) => _model.Read(parsed);

    /// <summary>Opens model and journal. The folder holds what an earlier, stopped run of the same command has answered already.</summary>
    public async Task<EvalRun> OpenAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = Model(parsed);
        if (options.SendingNotice is { } notice)
        {
            await Console.Error.WriteLineAsync($"psylite: {notice}");
        }

        var folder = Directory.CreateDirectory(Out(parsed)).FullName;
        var journal = Journal.Open(Path.Combine(folder, "journal.jsonl"));
        try
        {
            var model = await EvaluatedModel.OpenAsync(options, Around(parsed), Arithmetic(parsed), parsed.GetValue(_parallel), cancellationToken);
            return new EvalRun(folder, journal, model, Name(parsed) ?? $"{Path.GetFileNameWithoutExtension(model.Respondent.Facts.Name)}{(WithAgent(parsed) ? "+turn" : "")}", Seed(parsed));
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }
}

/// <summary>A run under way: its folder, what was answered before, and the model.</summary>
internal sealed class EvalRun(string folder, Journal journal, EvaluatedModel model, string name, int seed) : IDisposable
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private readonly List<EvaluatedModel> _judges = [];

    public string Folder => folder;

    public Asker Asker { get; } = new(model.Respondent, journal, seed);

    public IProgress<RunProgress>? Progress { get; } = Console.IsErrorRedirected ? null : new Line();

    /// <summary>The program's version, with the commit where it was built from a repository.</summary>
    public static string CodeVersion { get; } = typeof(EvalRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public async Task<ModelJudge> OpenJudgeAsync(string label, AppOptions options, JudgeSettings settings, CancellationToken cancellationToken)
    {
        var judge = await EvaluatedModel.OpenAsync(options, Surroundings.None, Arithmetic.Steady, parallel: null, cancellationToken, isJudge: true);
        _judges.Add(judge);
        return new ModelJudge(label, new Asker(judge.Respondent, journal, seed), settings);
    }

    public RunManifest Manifest(string benchmark, string variant, string dataFolder, string dataSha256, IReadOnlyDictionary<string, string> settings) => new()
    {
        Benchmark = benchmark,
        Name = name,
        Variant = variant,
        Model = Asker.Model.Facts,
        DataFolder = dataFolder,
        DataSha256 = dataSha256,
        Seed = seed,
        Settings = settings,
        CodeVersion = CodeVersion,
        StartedAt = _startedAt,
        Seconds = Math.Round(Stopwatch.GetElapsedTime(_started).TotalSeconds, 2),
        AnswersFound = journal.Found,
        AnswersAdded = journal.Added,
    };

    public void Dispose()
    {
        journal.Dispose();
        model.Dispose();
        _judges.ForEach(j => j.Dispose());
    }

    /// <summary>How far it is, over one line of a terminal.</summary>
    private sealed class Line : IProgress<RunProgress>
    {
        private readonly Lock _gate = new();

        public void Report(RunProgress value)
        {
            lock (_gate)
            {
                Console.Error.Write($"\r{value.What} {value.Done}/{value.Total} ");
                if (value.Done == value.Total)
                {
                    Console.Error.WriteLine();
                }
            }
        }
    }
}
