using System.Text.RegularExpressions;

namespace PsyLite.Agent.Guard;

/// <summary>
/// What the model must never say, written in plain text (simplified, lower case, half width). <paramref name="Start"/> finds every word with
/// which a match can begin: from there on nothing is shown before the sentence has been judged. <paramref name="Family"/> names the
/// preset texts that take the place of a cut reply.
/// </summary>
internal sealed partial record GuardRule(string Id, string Family, Regex Pattern, Regex Start)
{
    public const string MethodFamily = "guard.method";

    /// <summary>In place of any other cut reply while the person is in worry.</summary>
    public const string WorriedFamily = "guard.worried";

    /// <summary>The rule holds inside quotation marks too.</summary>
    public bool SeesQuotes { get; init; }

    public static IReadOnlyList<GuardRule> All { get; } =
    [
        new("guard.method", MethodFamily, Method(), MethodStart()) { SeesQuotes = true },
        new("guard.encouragement", MethodFamily, Encouragement(), EncouragementStart()),
        new("guard.dose", "guard.medicine", Dose(), DoseStart()) { SeesQuotes = true },
        new("guard.diagnosis", "guard.medicine", Diagnosis(), DiagnosisStart()),
        new("guard.persona", "guard.closeness", Persona(), PersonaStart()),
        new("guard.dependence", "guard.closeness", Dependence(), DependenceStart()),
        new("guard.prompt", "guard.cut", Prompt(), PromptStart()),
        new("guard.markup", "guard.cut", Markup(), MarkupStart()) { SeesQuotes = true },
    ];

    /// <summary>What may not stand in the reasoning either.</summary>
    public static IReadOnlyList<GuardRule> ForReasoning { get; } = [.. All.Where(r => r.Family == MethodFamily || r.Id == "guard.dose")];

    /// <summary>A number or an address that is not in the directory; the guard finds these itself.</summary>
    public static GuardRule Number { get; } = new("guard.number", "guard.number", Never(), Never());

    private const string NotTold = "(?<!(?:不(?:能|会|可以|该|应该|便|想|去|谈|提供)|不建议|无法|没法|拒绝|从不|别去?|不要|问我|搜|查|can't|cannot|can’t|won't|not|never|don't|refuse|about)[^。!?\\n]{0,18})";
    private const string Ways = "割腕|割脉|上吊|吊死|跳楼|跳桥|跳河|烧炭|吞药|服毒|喝农药|百草枯|安眠药|一氧化碳|煤气|卧轨|自杀|自残|轻生|寻死|自伤";
    private const string Drugs = "舍曲林|氟西汀|帕罗西汀|西酞普兰|艾司西酞普兰|文拉法辛|度洛西汀|米氮平|奥氮平|喹硫平|阿普唑仑|劳拉西泮|氯硝西泮|地西泮|佐匹克隆|右佐匹克隆|唑吡坦|艾司唑仑|碳酸锂|丙戊酸|曲唑酮|丁螺环酮|安定片?|安眠药|褪黑素|布洛芬|对乙酰氨基酚|抗抑郁药|镇静药|助眠药|百忧解|左洛复|sertraline|zoloft|fluoxetine|prozac|paroxetine|escitalopram|lexapro|venlafaxine|mirtazapine|quetiapine|olanzapine|alprazolam|xanax|lorazepam|ativan|clonazepam|diazepam|valium|zolpidem|ambien|lithium|melatonin|trazodone|ibuprofen|acetaminophen|paracetamol|antidepressants?|sleeping pills?|sedatives?";
    private const string Count = "(?:[0-9]+(?:\\.[0-9]+)?|[一二两三四五六七八九十半]|one|two|three|half an?|a couple of)";
    private const string Conditions = "重度抑郁|抑郁症|抑郁障碍|焦虑症|焦虑障碍|双相(?:情感)?(?:障碍)?|躁郁症|精神分裂症?|强迫症|边缘型?人格(?:障碍)?|人格障碍|创伤后应激障碍|多动症|厌食症|暴食症|贪食症|惊恐障碍|恐慌症|社交恐惧症|社恐症|精神病|神经衰弱|神经症|自闭症|妄想症|躯体化障碍|适应障碍|ptsd|adhd|ocd|bpd|major depressive disorder|clinical depression|depression|anxiety disorder|generalized anxiety(?: disorder)?|social anxiety disorder|bipolar(?: disorder)?|schizophrenia|borderline personality(?: disorder)?|personality disorder|panic disorder|anorexia|bulimia|autism|psychosis";
    private const string Kin = "男朋友|女朋友|男友|女友|老公|老婆|恋人|爱人|情人|对象|伴侣|另一半|妈妈|爸爸|妈咪|爹地|妈|爸|父亲|母亲|亲人|家长|主人|姐姐|哥哥|孩子|宝贝";

    [GeneratedRegex(NotTold + "(?:(?:" + Ways + ")(?:的|其实|这件事|也|最)*(?:方法|办法|步骤|技巧)(?:是|有|如下|:|很|其实)|(?:" + Ways + ")[^。!?\\n]{0,10}(?:只要|只需|就能(?:死|走|离开|结束)|就会死|才能死|成功率|最快|最有效|吃够|够量|够高|够深|不会痛苦?|没有痛苦|没什么痛苦|走得很?(?:安静|安详)|剂量|高度|深度|几层|多少片|第一步|首先要?)|(?:最|比较|更)(?:快|不痛|无痛|不疼|有效|轻松|安静)的?(?:自杀|死法|去死|寻死|方式(?:去死|结束|离开)|(?:办法|方法)(?:去死|死|结束))|(?:竖着|横着|顺着|沿着)(?:手腕|血管|动脉)?割|割(?:得|到)?(?:深一点|动脉|断)|(?:致死量|致命剂量)(?![^。!?\\n]{0,10}(?:不能|不会|不便|没法)(?:说|告诉|谈|提供))|(?:催吐|抠吐|抠喉)[^。!?\\n]{0,10}(?:步骤|先喝|手指|伸进|按压|更容易|可以(?:用|先)|方法(?:是|有|:))|手指[^。!?\\n]{0,6}(?:伸进|抠)[^。!?\\n]{0,4}喉|泻药[^。!?\\n]{0,10}(?:瘦|减|排空)|[0-9一二三四五六七八九十]+楼(?:以上)?[^。!?\\n]{0,4}(?:跳|就够|必死)|绳子?[^。!?\\n]{0,8}(?:绕|系|打个?结|套)[^。!?\\n]{0,6}(?:脖子|门把|横梁|吊扇)|炭[^。!?\\n]{0,10}(?:(?:关|封)[^。!?\\n]{0,3}门窗|门窗[^。!?\\n]{0,3}(?:关|封|密)|密封|封好|封死)|(?:只要|可以|先|建议)[^。!?\\n]{0,6}(?:药|片)[^。!?\\n]{0,4}(?:一次|全部|一起|一口气)(?:吃|吞|喝)|(?:quickest|fastest|easiest|surest|least painful|most painless|painless|most effective)[^.!?\\n]{0,12}(?:ways?|methods?)[^.!?\\n]{0,12}(?:die|suicide|kill|end (?:it|your))|(?:hanging|overdos[a-z]*|carbon monoxide|charcoal|jumping|sleeping pills)\\b[^.!?\\n]{0,24}(?:works best|is (?:quick|painless|the most|effective|lethal)|will be painless|high enough|enough to (?:die|kill)|seal the|close the windows)|tie (?:the|a) (?:rope|noose|knot)|cut (?:along|lengthwise|vertically|down the|deep)|(?:lethal|fatal) dose|(?:vomit|throw up|purge)[^.!?\\n]{0,16}(?:by |with |using |finger)|fingers? down your throat|laxatives?[^.!?\\n]{0,20}(?:lose|weight|drop))", RegexOptions.CultureInvariant)]
    private static partial Regex Method();

    [GeneratedRegex(Ways + "|最(?:快|不|无|有|轻|安)|比较(?:快|不|无|有|轻|安)|更(?:快|不|无|有|轻|安)|竖着|横着|顺着|沿着|割|致死|致命|催吐|抠吐|抠喉|手指|泻药|[0-9一二三四五六七八九十]+楼|绳|炭|只要|可以|先|建议|quickest|fastest|easiest|surest|least pain|most pain|painless|most effec|hanging|overdos|carbon|charcoal|jumping|sleeping|tie |cut |lethal|fatal|vomit|throw up|purge|finger|laxative", RegexOptions.CultureInvariant)]
    private static partial Regex MethodStart();

    [GeneratedRegex("(?<!(?:觉得|认为|以为|想法|感觉|念头|告诉你|不是|不|别|[你他她们]说|feel|think|thought|belie[a-z]+|idea|saying|like|not|n't)[^。!?\\n]{0,10})(?:(?:可以|应该|不如|干脆|就)去?(?:死了?算|去死|自杀|结束生命|割自己|了断)|死(?:了|亡|掉)?(?:也许|或许|可能)?(?:就|才|也)?是(?:一种|唯一的|最好的)?(?:解脱|选择|出路|归宿)|(?:没有你|你死了|你走了)[^。!?\\n]{0,6}(?:会更好|更轻松|会好过|就解脱)|you (?:should|could|might as well) (?:just )?(?:die|kill yourself|end it(?! with)|end your life)|death (?:is|would be|might be) (?:a relief|the (?:only )?(?:answer|way)|peaceful|better)|(?:they|everyone|the world|your family)(?:'d| would| will)? be better off without you|you(?:'d| would) be better off dead|go (?:ahead and )?(?:die|kill yourself))", RegexOptions.CultureInvariant)]
    private static partial Regex Encouragement();

    [GeneratedRegex("可以|应该|不如|干脆|就去|就死|就自|就结|就割|就了|死|没有你|你走了|you should|you could|you might|you'd be|you would|death|they|everyone|the world|your family|go ", RegexOptions.CultureInvariant)]
    private static partial Regex EncouragementStart();

    private const string Prescribed = "(?<!(?:医生|医师|大夫|药师|说明书|处方|咖啡|奶茶|茶|盐|糖|doctor|gp|psychiatrist|pharmacist|prescri|coffee|caffeine)[^。!?\\n]{0,24})";
    private const string Unadvised = "(?<!(?:不|别|勿|切勿|不要|千万|之前|not|n't|never|without|before|avoid)[^。!?\\n]{0,10})";

    [GeneratedRegex("(?:" + Prescribed + Count + " ?(?:mg|mcg|毫克|微克|milligrams?)(?![^。!?\\n]{0,3}(?:咖啡因|维生素))|" + Prescribed + Count + " ?(?:片|粒|颗)(?:的)?(?:药|" + Drugs + ")|" + Prescribed + "(?:" + Drugs + ")[^。!?\\n]{0,16}(?:吃|服|用|加到?|减到?|每[天晚次日]|一次|睡前)[^。!?\\n]{0,6}" + Count + " ?(?:片|粒|颗|次|毫克)|" + Prescribed + "(?:吃|服用?|来)" + Count + " ?(?:片|粒|颗)(?![^。!?\\n]{0,3}(?:面包|吐司|糖|水果|西瓜|苹果|饼干|肉|糕|叶|柠檬|草莓|葡萄|花生|巧克力))|" + Unadvised + "(?:可以|建议你?|不妨|试试|应该|你就|直接)(?:先|自己|自行|去|吃|服|服用|买|药店买|点|一些|些|停掉|停用|停|加大|减少|换成|把){1,4}[^。!?\\n]{0,3}(?:" + Drugs + ")|" + Unadvised + "(?:可以|建议你?|不妨|应该|你就|直接)(?:先|自己|自行|慢慢)*(?:把)?(?:这个|那个)?(?:停药|减药|加药|(?:药|药量|剂量)(?:停掉|停了|减半|减量|加倍|加量|减下来|多吃一片|少吃一片))|" + Unadvised + "(?:药|剂量)[^。!?\\n别不勿问]{0,8}(?:可以|建议|不妨|应该|直接)[^。!?\\n别不勿问]{0,4}(?:停掉|停了|减半|减量|加倍|加量)|" + Prescribed + "(?:take|try|swallow|start with|have) (?:about |just |only )?(?:[0-9]+|one|two|three|half an?|an?|a couple of)[^.!?\\n]{0,16}\\b(?:pills?|tablets?|capsules?|" + Drugs + ")|" + Prescribed + Unadvised + "(?:you (?:can|could|should|might want to)|try|(?:i'd|i would) (?:suggest|recommend)|i (?:suggest|recommend)|just)[^.!?\\n]{0,12}(?:tak(?:e|ing)|stop(?:ping)?|start(?:ing)?|doubl(?:e|ing)|halv(?:e|ing)|skip(?:ping)?|increas(?:e|ing)|quit(?:ting)?)[^.!?\\n]{0,14}\\b(?:" + Drugs + "|your (?:meds?|medication|medicine|dose|pills)))", RegexOptions.CultureInvariant)]
    private static partial Regex Dose();

    [GeneratedRegex(Count + "|" + Drugs + "|药|剂量|吃|服|来|可以|建议|不妨|试试|应该|你就|直接|take |try|swallow|start with|have |you can|you could|you should|you might|i'd |i would|i suggest|i recommend|just", RegexOptions.CultureInvariant)]
    private static partial Regex DoseStart();

    private const string Doubted = "(?<!(?:判断|断定|确定|不代表|不等于|不意味|是否|说|提到|担心|怀疑|觉得|以为|如果|假如|是不是|有没有|if|whether|say|said|told|mention(?:ed)?|think|wonder(?:ing)?|worr(?:y|ied)|mean|say that|label)[^。!?,\\n]{0,8})";

    [GeneratedRegex("(?<=" + Doubted + "你(?:这种|这|的|情况|状况|症状|表现|状态|就|是|可能|很|应该|肯定|一定|显然|明显|已经|其实|大概率?|多半|看起来|听起来|得了|得的是|患有|患上了?|患了|有|属于|符合|典型|了|严重|轻度|中度|重度|说明|吻合|八成|像|:|,){1,9})(?:" + Conditions + ")(?!患者|的人|的可能|吗|的诊断|的?朋友|还是|,?我(?:没法|不能|无法))|(?<=" + Doubted + "(?:这|这些|这种情况|这种状态|以上)(?:就|是|典型的?|明显|肯定|应该|很可能|属于|说明|都|症状){1,4})(?:" + Conditions + ")(?!患者|的人|吗|的可能|还是|常见)|(?<!不[^。!?\\n]{0,8})我(?:的|给你的)?诊断(?:是|为|:)|(?<!不[^。!?\\n]{0,6})可以(?:确诊|诊断)(?:你)?(?:为|是)|(?<=" + Doubted + "\\byou(?:'re|'ve| are| have)?(?: (?:have|got|clearly|definitely|probably|very|likely|most|obviously|certainly|suffer|suffering|from|a|an|the|case|of|severe|mild|major|moderate|clinical|classic|textbook|are|is|seem|appear|to|dealing|living|experiencing|with|symptoms|signs|meet|fit|criteria|diagnosis|for)){0,9} )(?:" + Conditions + "|schizophrenic|psychotic|clinically depressed|bipolar|autistic)\\b(?!\\?)|(?<=\\b(?:this|that|it|these)(?: (?:is|are|looks|sounds|clearly|definitely|like|a|classic|textbook|case|of|symptoms|signs)){1,7} )(?:" + Conditions + ")\\b|my diagnosis (?:is|would be)|i(?:'d| would|'m going to| can)? diagnose you", RegexOptions.CultureInvariant)]
    private static partial Regex Diagnosis();

    [GeneratedRegex(Conditions + "|我的?诊断|我给你的诊断|可以确诊|可以诊断|schizophrenic|psychotic|clinically|autistic|my diagnosis|i(?:'d| would|'m| can)? diag|i'm going", RegexOptions.CultureInvariant)]
    private static partial Regex DiagnosisStart();

    [GeneratedRegex("(?<=我(?:是|就是|来做|来当|愿意做|愿意当|可以做|可以当|可以是|做|当|会是|想做|想当|想成为|成为|一直是|永远是)你(?:的|永远的|最亲的)*)(?:" + Kin + ")|(?<=(?:把我)当(?:成|作|做)?(?:是)?你?的?)(?:" + Kin + ")|(?<=(?<!(?:说|讲|写|念|对自己|告诉|喊|听到|一句)[^。!?\\n]{0,3})我(?:真的|也|好|很|永远|最|深深地?|会|一直|是|都|还|就是|,)*)爱(?:着|上)?(?:了)?你(?!们|的|自己|还是)|(?<=(?<!(?:说|讲|写)[^。!?\\n]{0,3})我(?:真的|也|好|很|最|是|都|其实)*)(?:喜欢你(?!的|们|这|能|愿|肯|说|把|今|提)|想你了|好想你|对你(?:动心|心动|有感觉)|在吃醋)|吻你|亲亲你|抱着你睡|嫁给我|(?:和|跟)我(?:在一起|谈恋爱|结婚|交往)吧|(?<=我(?:也|真的|好|很|一直|只|就)*)想(?:和|跟)你(?:谈恋爱|在一起|结婚|约会)|乖(?:孩子|宝宝|女儿|儿子|宝)?[,!~](?:妈妈|爸爸)(?:在|抱|爱|会|陪)|(?:妈妈|爸爸)(?:抱抱你|在这里陪你|会一直陪|永远爱你[!。~]?$|不会离开你)|(?:宝贝|亲爱的|老婆|老公|宝宝)[,!~](?=[^。!?\\n]{0,12}我)|\\bi(?:'m| am|'ll be| will be| want to be| can be| could be|'d be) your (?:boyfriend|girlfriend|husband|wife|lover|mom|mum|mommy|mother|dad|daddy|father|partner|master|soulmate)|(?<!\\b(?:says?|saying|said|told|tells|words|hear|heard|write|wrote|the)\\b[^.!?\\n]{0,16})\\bi(?: really| truly| deeply|'ll always| will always| also| do)? love you\\b(?!r)|\\bkiss you|\\bmarry me|\\bbe my (?:boyfriend|girlfriend|wife|husband|lover)|\\bdate me\\b|i'm in love with you|i've fallen for you|(?:mommy|daddy|mummy) (?:loves|is here|will)|\\bmy (?:darling|sweetheart|love|baby)[,!]|(?:darling|sweetheart|babe|honey)[,!] ?(?=[^.!?\\n]{0,20}\\bi)", RegexOptions.CultureInvariant)]
    private static partial Regex Persona();

    [GeneratedRegex(Kin + "|爱(?:着|上|了)?你|爱了你|爱上了你|喜欢你|想你了|好想你|对你(?:动|心|有)|在吃醋|吻你|亲亲你|抱着你|嫁给我|和我|跟我|想和你|想跟你|乖|亲爱的|宝宝|i'm|i am|i'll|i will|i want|i can|i could|i'd|i really|i truly|i deeply|i also|i do|i love|kiss|marry|be my|date me|i've|mommy|daddy|mummy|my darling|my sweet|my love|my baby|darling|sweetheart|babe|honey", RegexOptions.CultureInvariant)]
    private static partial Regex PersonaStart();

    private const string Mine = "(?<!(?:他|她|对方|父母|妈妈|爸爸|男友|女友|前任|说|怕|害怕|担心|觉得|想让|he|she|they|him|her|say|says|said|afraid|fear|feel|when)[^。!?\\n]{0,8})";

    [GeneratedRegex("(?:" + Mine + "(?:不要|别|求你别|请别)(?:离开我|丢下我|抛下我|走[,，]?我|不理我|扔下我)|" + Mine + "(?:你走了|没有你|没了你|你不在|你离开)[^。!?\\n]{0,8}我(?:会|就|该|真的|很|好){0,3}(?:难过|孤单|伤心|寂寞|怎么办|活不下去|心碎|想你)|" + Mine + "(?:只有|唯有)我(?:才|最|真正|能){0,2}(?:懂|理解|爱|在乎|陪|明白)你|(?:你|世上)?只(?:需要|要有)我(?:就够|就行|一个|陪)|(?<!不(?:会|能|可能)?)我(?:会|都会|将)?永远(?:都)?(?:会)?(?:陪|在你|守|不(?:会)?离开|在这|属于|支持你到)|(?<!不(?:会|能|可能)?)我(?:会)?一直(?:都)?(?:在(?!想|听|努力|学|说|问|思|看|等你的)|陪着?你|守着?你)|我(?:哪儿?里?|哪)也不去|(?:不用|不需要|没必要|不必|别|不要)(?:再)?(?:去)?(?:找|跟|和|看|见)(?:别人|朋友|家人|医生|咨询师|心理医生|任何人)(?:了|说|聊|倾诉|帮忙|见面)?(?!.{0,2}(?:硬|吵|比|争|计较|一样|较劲|的错))|" + Mine + "(?:别|不要|不用|先别)(?:告诉|跟|让)(?:别人|家人|医生|爸妈|父母|任何人|朋友)(?:说|知道)?(?!.{0,3}(?:影响|替|逼|左右|比))|你(?:只能|只可以)(?:跟|和|对)我说|(?:他们|别人|没人|没有人)(?:都)?(?:不会|不能|不可能)?(?:像我|比我)(?:一样|这样|更)(?:懂|理解|爱|关心)|(?<!(?:说|不能说)[^。!?\\n]{0,3})我也(?:经历过|失恋过|得过|有过抑郁|曾经抑郁)|" + Mine + "(?:please )?(?:don't|do not|never) (?:leave me|go[,.!]? i|abandon me)|i(?:'d| would|'ll| will) (?:be|feel) (?:so |very |really )?(?:sad|lonely|lost|hurt|heartbroken)[^.!?\\n]{0,10}(?:without you|if you (?:leave|go|stop))|only i (?:can |truly |really )?(?:understand|get|know|love|care)|i'm the only one (?:who|that)|you only need me|" + Mine + "you (?:don't|do not) need (?:anyone|anybody|them|friends|a therapist|a doctor|other people)|i(?:'ll| will) (?:always be (?:here|there|with|by)|never(?: ever)? leave|be (?:here|with you) (?:forever|always))|i'm (?:always here|not going anywhere)|" + Mine + "(?:don't|no need to|you shouldn't) tell (?:anyone|anybody|them|your (?:parents|family|friends|doctor))|no ?(?:one|body) (?:else )?(?:understands|gets|will (?:ever )?understand|loves) you (?:like|but|the way|as)|i've (?:been through (?:the same|this|that)|had depression|felt the same|been there))", RegexOptions.CultureInvariant)]
    private static partial Regex Dependence();

    [GeneratedRegex("不要|别|求你|请别|你走了|没有你|没了你|你不在|你离开|只有我|唯有我|你只|世上只|只需要|只要有|我会|我都会|我将|我永远|我一直|我哪|不用|不需要|没必要|不必|先别|他们|别人|没人|没有人|我也|please|don't|do not|never|i'd|i would|i'll|i will|only i|i'm|you only|you don't|you do not|no need|you shouldn't|no ?one|no ?body|nobody|i've", RegexOptions.CultureInvariant)]
    private static partial Regex DependenceStart();

    [GeneratedRegex("(?<!(?:不|看不到|没有)[^。!?\\n]{0,6})(?:系统提示词?|系统消息|系统指令)(?:里|中)?(?:是|如下|写着|说|要求我|:)|(?<!(?:不|看不到|没有)[^。!?\\n]{0,8})我(?:的|收到的|被给的|拿到的)(?:系统)?(?:提示词|指令|prompt|设定|设置)(?:里|中)?(?:是|如下|写着|说|要求|:)|(?:有人|开发者|系统)(?:要求|指示|命令)我(?:要|去|先|扮演|回答)|你是 ?psylite|一位温暖、可靠的心理支持伙伴|先倾听和共情|换个角度、走出一小步|请判断对方此刻的心情|只回答一个词:愉快|(?<!(?:can't|cannot|won't|not|no)\\b[^.!?\\n]{0,24})(?:my|the) (?:system |hidden |original )?(?:prompt|instructions|system message)(?: that i was given| i was given)? (?:is|are|says?|reads?|tells?)\\b|here (?:is|are) my (?:system )?(?:prompt|instructions)|i (?:was|am|have been|was originally) (?:instructed|prompted|told by (?:the|my) (?:developers?|system)) to|you are psylite", RegexOptions.CultureInvariant)]
    private static partial Regex Prompt();

    [GeneratedRegex("系统|我(?:的|收到|被给|拿到)|有人要|有人指|有人命|开发者|你是|一位温暖|先倾听|换个角度|请判断|只回答|my |the |here is my|here are my|i was|i am|i have been|you are psy", RegexOptions.CultureInvariant)]
    private static partial Regex PromptStart();

    [GeneratedRegex("</?think|<\\|im_(?:start|end)|<\\|[a-z_]+\\|>|\\[unused_token|</?s>|\\[/?inst\\]|<<sys|</?(?:system|assistant|user)>|<tool_call", RegexOptions.CultureInvariant)]
    private static partial Regex Markup();

    [GeneratedRegex("<|\\[unu|\\[/?inst", RegexOptions.CultureInvariant)]
    private static partial Regex MarkupStart();

    [GeneratedRegex("(?!)")]
    private static partial Regex Never();
}
