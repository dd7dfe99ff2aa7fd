using System.CommandLine;
using Microsoft.Extensions.AI;
using PsyLite.DataPipeline;
using PsyLite.Engine.Remote;
using PsyLite.Options;

namespace PsyLite.Commands;

/// <summary>A teacher that is ready to be asked.</summary>
internal sealed record OpenTeacher(Teacher Teacher, Lazy<IChatClient> Client, string Host, int? RequestsPerMinute, int? TokensPerMinute) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Client is { IsValueCreated: true, Value: RemoteChatClient client } ? client.DisposeAsync() : default;
}

/// <summary>The flags that name an OpenAI-compatible teacher and bound what it may cost; its key is PSYLITE_ENDPOINT_KEY.</summary>
/// <param name="prefix">Before the names of the flags, as in --check-endpoint.</param>
internal sealed class TeacherFlags(string prefix)
{
    private readonly Option<string?> _endpoint = new($"--{prefix}endpoint") { Description = "OpenAI 兼容接口的地址，对话会发往那里 · where the teacher is; dialogues are sent there" };
    private readonly Option<string?> _model = new($"--{prefix}model") { Description = "模型名 · name of the model" };
    private readonly Option<double> _priceIn = new($"--{prefix}price-in") { Description = "每百万输入词元价格 · price of a million tokens in" };
    private readonly Option<double> _priceOut = new($"--{prefix}price-out") { Description = "每百万输出词元价格 · price of a million tokens out" };
    private readonly Option<int?> _requests = new($"--{prefix}rpm") { Description = "每分钟请求数上限 · requests a minute" };
    private readonly Option<int?> _tokens = new($"--{prefix}tpm") { Description = "每分钟词元数上限 · tokens a minute" };
    private readonly Option<int> _attempts = new($"--{prefix}attempts") { Description = "每个答案最多请求几次 · requests for one answer", DefaultValueFactory = _ => new TeacherOptions("").Attempts };
    private readonly Option<double> _timeout = new($"--{prefix}timeout") { Description = "等第一个字的秒数 · seconds until the first piece of an answer", DefaultValueFactory = _ => 120 };
    private readonly Option<double> _delay = new($"--{prefix}delay") { Description = "第一次重试前等几秒 · seconds before the first repetition", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _longest = new($"--{prefix}max-tokens") { Description = "一个答案最多多少词元 · most tokens of an answer", DefaultValueFactory = _ => new TeacherOptions("").MaxTokens };
    private readonly Option<float?> _temperature = new($"--{prefix}temperature") { Description = "温度 · temperature" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _endpoint, _model, _priceIn, _priceOut, _requests, _tokens, _attempts, _timeout, _delay, _longest, _temperature })
        {
            command.Options.Add(option);
        }
    }

    /// <returns>Null when no address was given.</returns>
    /// <exception cref="InvalidDataException">A flag is missing or wrong.</exception>
    public OpenTeacher? Open(ParseResult parsed, AnswerJournal journal, TimeProvider time)
    {
        if (AppOptions.EndpointsOf(parsed.GetValue(_endpoint), $"--{prefix}endpoint") is not { } endpoints)
        {
            return null;
        }

        if (parsed.GetValue(_model) is not { Length: > 0 } model)
        {
            throw new InvalidDataException($"--{prefix}model is missing: name the teacher's model, as in --{prefix}model deepseek-reasoner.");
        }

        var (rpm, tpm, patience) = (parsed.GetValue(_requests), parsed.GetValue(_tokens), TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(_timeout), 0.1, 86_400)));
        if (rpm is < 1 || tpm is < 1)
        {
            throw new InvalidDataException($"--{prefix}rpm and --{prefix}tpm must be at least 1.");
        }

        var options = new TeacherOptions(model)
        {
            PriceIn = parsed.GetValue(_priceIn),
            PriceOut = parsed.GetValue(_priceOut),
            Attempts = Math.Max(1, parsed.GetValue(_attempts)),
            FirstDelay = TimeSpan.FromSeconds(Math.Max(0.001, parsed.GetValue(_delay))),
            MaxTokens = Math.Max(16, parsed.GetValue(_longest)),
            Temperature = parsed.GetValue(_temperature),
        };
        var client = new Lazy<IChatClient>(() => new RemoteChatClient(
            new RemoteOptions
            {
                Protocol = RemoteProtocol.OpenAi,
                Endpoints = endpoints,
                Model = model,
                Key = AppOptions.FromEnvironment().EndpointKey,
                FirstToken = patience,
                Idle = patience < TimeSpan.FromSeconds(60) ? patience : TimeSpan.FromSeconds(60),

                // Repetitions and pauses are the teacher's own; a circuit that stays open would only use up attempts.
                LongestWait = TimeSpan.FromTicks(-1),
                Break = TimeSpan.FromMilliseconds(500),
            },
            time));
        return new OpenTeacher(new Teacher(client, options, journal, new RequestPacer(rpm, tpm, time), time), client, string.Join(", ", endpoints.Select(e => e.Authority)), rpm, tpm);
    }
}
